#include "tests/sim/sim_facts.h"

#include "tests/sim/hash_model.h"

namespace baton {

FingerprintFields SimFields(const KvLayout& layout) {
  FingerprintFields fields = FieldsOf(layout);
  fields.emplace_back("model", "hash");
  return fields;
}

link::Register SimFacts(const SimWorkerOptions& options, const KvArena& arena) {
  link::Register facts;
  facts.set_worker_id(options.name);
  facts.set_incarnation(Index(options.incarnation));
  facts.set_role(options.role);
  const FingerprintFields fields = SimFields(arena.layout());
  const Fingerprint fingerprint = FingerprintOf(fields);
  facts.set_layout_fingerprint(fingerprint.data(), fingerprint.size());
  for (const auto& [name, value] : fields) {
    link::LayoutField* field = facts.add_layout_fields();
    field->set_name(name);
    field->set_value(value);
  }
  facts.set_transfer_address(options.name);
  facts.add_transports("sim");
  facts.set_pages(arena.num_pages());
  facts.set_page_tokens(static_cast<std::uint32_t>(arena.layout().tokens_per_page));
  facts.set_key_namespace("hash");
  facts.mutable_model()->set_name("hash");
  facts.mutable_model()->set_vocab_size(kHashVocabulary);
  facts.mutable_model()->set_ids_with_text(kHashVocabulary);
  facts.mutable_model()->set_length_tokens_max(4096);
  facts.mutable_model()->add_end_tokens(kHashEnd);
  return facts;
}

}  // namespace baton
