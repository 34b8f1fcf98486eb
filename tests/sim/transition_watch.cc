#include "tests/sim/transition_watch.h"

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <typeinfo>
#include <utility>
#include <variant>

#include "kvtransfer/handoff_receiver.h"
#include "kvtransfer/handoff_sender.h"
#include "transition_symbols.h"  // made by the build

namespace baton {
namespace {

constexpr std::array<const char*, kSenderStates> kSenderNames = {
    "Waiting", "Offered", "Sending", "Committing", "Complete", "Failed"};
constexpr std::array<const char*, kReceiverStates> kReceiverNames = {
    "Expected", "Offered", "Receiving", "Committed", "Closed"};

template <typename T>
std::string NameOfType() {
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, nullptr), std::free);
  const std::string whole = name.get();
  return whole.substr(whole.rfind(':') + 1);
}

template <typename Event, std::size_t... Is>
std::array<std::string, sizeof...(Is)> NamesOfEvents(std::index_sequence<Is...>) {
  return {NameOfType<std::variant_alternative_t<Is, Event>>()...};
}

template <typename Event, std::size_t States>
struct Counts {
  static constexpr std::size_t kEvents = std::variant_size_v<Event>;

  void Add(int before, std::size_t event, int after) {
    ++taken[static_cast<std::size_t>(before)][event][static_cast<std::size_t>(after)];
  }

  void AddTo(const char* machine, const std::array<const char*, States>& states,
             std::map<std::string, std::uint64_t>& sum) const {
    const auto events = NamesOfEvents<Event>(std::make_index_sequence<kEvents>());
    for (std::size_t from = 0; from < States; ++from) {
      for (std::size_t event = 0; event < kEvents; ++event) {
        for (std::size_t to = 0; to < States; ++to) {
          const std::uint64_t count = taken[from][event][to];
          if (count == 0) continue;
          sum[std::string(machine) + " " + states[from] + " " + events[event] + " " + states[to]] =
              count;
        }
      }
    }
  }

  std::uint64_t taken[States][kEvents][States] = {};
};

// One simulation runs in one thread; the watch lives as long as the process.
Counts<HandoffSender::Event, kSenderStates> sender_counts;
Counts<HandoffReceiver::Event, kReceiverStates> receiver_counts;

}  // namespace

// A member function is called as a free one whose first argument is `this` (Itanium C++ ABI).
SenderActions RealSenderOn(HandoffSender* sender, const HandoffSender::Event& event,
                           Instant now) asm("__real_" BATON_SENDER_ON);
ReceiverActions RealReceiverOn(HandoffReceiver* receiver, const HandoffReceiver::Event& event,
                               Instant now) asm("__real_" BATON_RECEIVER_ON);
SenderActions WatchedSenderOn(HandoffSender* sender, const HandoffSender::Event& event,
                              Instant now) asm("__wrap_" BATON_SENDER_ON);
ReceiverActions WatchedReceiverOn(HandoffReceiver* receiver, const HandoffReceiver::Event& event,
                                  Instant now) asm("__wrap_" BATON_RECEIVER_ON);

SenderActions WatchedSenderOn(HandoffSender* sender, const HandoffSender::Event& event,
                              Instant now) {
  const int before = static_cast<int>(sender->state());
  SenderActions actions = RealSenderOn(sender, event, now);
  sender_counts.Add(before, event.index(), static_cast<int>(sender->state()));
  return actions;
}

ReceiverActions WatchedReceiverOn(HandoffReceiver* receiver, const HandoffReceiver::Event& event,
                                  Instant now) {
  const int before = static_cast<int>(receiver->state());
  ReceiverActions actions = RealReceiverOn(receiver, event, now);
  receiver_counts.Add(before, event.index(), static_cast<int>(receiver->state()));
  return actions;
}

std::map<std::string, std::uint64_t> TransitionsTaken() {
  std::map<std::string, std::uint64_t> sum;
  sender_counts.AddTo("sender", kSenderNames, sum);
  receiver_counts.AddTo("receiver", kReceiverNames, sum);
  return sum;
}

}  // namespace baton
