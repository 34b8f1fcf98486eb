#include "engine/model/weight_names.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr std::size_t kNamesShown = 5;
constexpr std::int64_t kScaleBlock = 128;
constexpr char kLayerPrefix[] = "model.layers.";

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::Status Named(absl::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return absl::OkStatus();
  const std::size_t shown = std::min(names.size(), kNamesShown);
  return absl::InvalidArgumentError(absl::StrCat(
      "tensors are ", what, ": ",
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      names.size() > shown ? ", ..." : ""));
}

// Tables that older checkpoints carry along although they follow from the configuration, and layers
// that are not run.
bool IsSkipped(absl::string_view name, SkippedLayers skipped) {
  if (absl::EndsWith(name, ".rotary_emb.inv_freq")) return true;
  if (!absl::ConsumePrefix(&name, kLayerPrefix)) return false;
  int layer = 0;
  return absl::SimpleAtoi(name.substr(0, name.find('.')), &layer) && layer >= skipped.first &&
         layer < skipped.first + skipped.count;
}

class Checker {
 public:
  explicit Checker(const WeightSource& source) : source_(source) {}

  // False once there are more errors than are shown.
  bool Check(const WeightSpec& spec) {
    const StoredTensor* tensor = CheckOne(spec);
    if (tensor != nullptr && tensor->dtype == "F8_E4M3" && spec.shape.size() > 1) {
      CheckOne(ScaleSpecOf(spec));
    }
    return missing_.size() <= kNamesShown && misshapen_.size() <= kNamesShown;
  }

  absl::Status Finish(SkippedLayers skipped) const {
    BATON_RETURN_IF_ERROR(Named("missing", missing_));
    BATON_RETURN_IF_ERROR(Named("misshapen", misshapen_));
    std::vector<std::string> unused;
    for (std::string& name : source_.Names()) {
      if (!wanted_.contains(name) && !IsSkipped(name, skipped)) unused.push_back(std::move(name));
    }
    return Named("unused by this architecture", unused);
  }

 private:
  const StoredTensor* CheckOne(const WeightSpec& spec) {
    const StoredTensor* tensor = source_.Find(spec.name);
    if (tensor == nullptr) {
      missing_.push_back(spec.name);
      return nullptr;
    }
    wanted_.insert(spec.name);
    if (tensor->shape != spec.shape) {
      misshapen_.push_back(absl::StrCat(spec.name, " (shape ", ShapeText(tensor->shape),
                                        ", needed ", ShapeText(spec.shape), ")"));
    }
    return tensor;
  }

  const WeightSource& source_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
  std::set<std::string> wanted_;  // of those that are there: no larger than the source
};

}  // namespace

std::string LayerWeightName(int layer, absl::string_view rest) {
  return absl::StrCat(kLayerPrefix, layer, ".", rest);
}

WeightSpec ScaleSpecOf(const WeightSpec& weight) {
  WeightSpec scale;
  scale.name = absl::StrCat(weight.name, "_scale_inv");
  scale.shape = weight.shape;
  for (std::size_t i = scale.shape.size() - 2; i < scale.shape.size(); ++i) {
    scale.shape[i] = (scale.shape[i] + kScaleBlock - 1) / kScaleBlock;
  }
  return scale;
}

absl::Status CheckWeights(WeightTable table, const WeightSource& source, SkippedLayers skipped) {
  Checker checker(source);
  table([&checker](const WeightSpec& spec) { return checker.Check(spec); });
  return checker.Finish(skipped);
}

absl::Status CheckWeights(const std::vector<WeightSpec>& specs, const WeightSource& source) {
  return CheckWeights(
      [&specs](WeightVisitor visit) {
        for (const WeightSpec& spec : specs) {
          if (!visit(spec)) return;
        }
      },
      source);
}

}  // namespace baton
