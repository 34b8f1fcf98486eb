// One end of one link, as a reactor on gRPC's callback API: reads one message at a time into a
// sink, writes what was queued in order. It knows gRPC only by its template argument, so that both
// ends share it.
//
// Life: constructed -> Deliver'ed events -> End (nothing is read any more) -> gone (gRPC is done
// with it, and the sink knows). The owner then deletes it.
//
// Thread: On... are gRPC's; Send any; Retry, Leave, gone the owner's thread.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "server/link_events.h"
#include "server/link_limits.h"

namespace baton {

/// `Reactor`: grpc::ServerBidiReactor<In, Out> or grpc::ClientBidiReactor<Out, In>.
template <typename Reactor, typename Event, typename Out>
class LinkStream : public Reactor {
 public:
  using Sink = std::function<bool(Event&&)>;

  /// `wake` rings the owner's thread: Retry or gone may have something.
  LinkStream(LinkId link, const Sink& sink, std::function<void()> wake)
      : link_(link), sink_(sink), wake_(std::move(wake)) {}

  LinkId link() const { return link_; }

  /// Queues `message`; with `last`, the stream ends when it has been written.
  void Send(Out&& message, bool last) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || last_queued_) return;
      last_queued_ = last;
      if (!writing_) {
        writing_ = true;
        outgoing_ = std::move(message);
        this->StartWrite(&outgoing_);
        return;
      }
      if (queue_.size() < kLinkQueueMax) {
        queue_.push_back(std::move(message));
        return;
      }
    }
    Cancel();
  }

  /// Offers again what the sink had no room for. True while something is left.
  bool Retry() {
    {
      std::unique_lock lock(mutex_);
      if (pending_) {
        if (!Offer(lock)) return true;
        pending_ = false;
        if (!closed_) this->StartRead(&incoming_);
      }
      if (!done_ || lost_told_) return false;
      event_ = MakeEvent(LinkEventKind::kLost);
      event_.reason = reason_;
      if (up_ && !Offer(lock)) return true;
      lost_told_ = true;
    }
    return false;
  }

  /// The process stops: the sink is told nothing more, and the stream ends in order, when what is
  /// queued has been written.
  void Leave() {
    std::lock_guard lock(mutex_);
    drop_ = true;
    if (closed_ || std::exchange(leaving_, true)) return;
    last_queued_ = true;
    if (!writing_) closed_ = LeaveStream();
  }

  /// True once neither gRPC nor the sink has anything to do with it.
  bool gone() const {
    std::lock_guard lock(mutex_);
    return done_ && lost_told_;
  }

  bool up() const {
    std::lock_guard lock(mutex_);
    return up_;
  }

  /// Why it ended, once it is gone.
  std::string reason() const {
    std::lock_guard lock(mutex_);
    return reason_;
  }

  /// Breaks the stream from this side.
  void Cancel() {
    // Under the lock, so that gRPC's context, which ends with OnDone, is still there.
    std::lock_guard lock(mutex_);
    if (!done_) CancelStream();
  }

  void OnReadDone(bool ok) final {
    if (!ok) return End();
    Event event = MakeEvent(LinkEventKind::kMessage);
    event.message = std::move(incoming_);
    incoming_ = {};
    if (!Admit(event)) {
      Cancel();
      return End();
    }
    Deliver(std::move(event));
  }

  void OnWriteDone(bool ok) final {
    bool end = false;
    {
      std::lock_guard lock(mutex_);
      if (!ok || closed_) {
        writing_ = false;
        queue_.clear();
      } else if (!queue_.empty()) {
        outgoing_ = std::move(queue_.front());
        queue_.pop_front();
        this->StartWrite(&outgoing_);
      } else {
        writing_ = false;
        end = last_queued_ && !leaving_;
        if (leaving_) closed_ = LeaveStream();
      }
    }
    if (end) End();
  }

 protected:
  Event MakeEvent(LinkEventKind kind) const {
    Event event;
    event.link = link_;
    event.kind = kind;
    return event;
  }

  /// Looks at a message before the sink sees it; may change the event's kind. False: break.
  virtual bool Admit(Event& event) = 0;
  /// Asks gRPC to cancel the call. It calls nothing back from within.
  virtual void CancelStream() = 0;
  /// Tells gRPC, once, that this side is through.
  virtual void EndStream() = 0;
  /// Tells the peer, once and after the last write, that nothing more comes; true when that has
  /// ended this side, too. It calls nothing back from within.
  virtual bool LeaveStream() = 0;

  /// Gives the sink an event, then reads on.
  void Deliver(Event&& event) {
    std::unique_lock lock(mutex_);
    event_ = std::move(event);
    if (event_.kind == LinkEventKind::kUp) up_ = true;
    if (!Offer(lock)) {
      pending_ = true;
      lock.unlock();
      wake_();
    } else if (!closed_) {
      this->StartRead(&incoming_);
    }
  }

  void End() {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(closed_, true)) return;
    }
    EndStream();
  }

  /// The first read of a stream that begins with the peer's message.
  void ReadFirst() { this->StartRead(&incoming_); }

  /// From the derived OnDone: gRPC will not call again. `reason`: see WorkerLinkEvent.
  void Done(std::string reason) {
    // A copy: the owner may delete this object as soon as the lock is free.
    const std::function<void()> wake = wake_;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      done_ = true;
      reason_ = std::move(reason);
    }
    wake();
  }

 private:
  // The sink is called without the lock. One call at a time: no read is in flight meanwhile.
  bool Offer(std::unique_lock<std::mutex>& lock) {
    if (drop_) return true;
    lock.unlock();
    const bool taken = sink_(std::move(event_));
    lock.lock();
    return taken;
  }

  const LinkId link_;
  const Sink& sink_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  decltype(Event::message) incoming_;
  Event event_;           // offered, or to be offered again
  bool pending_ = false;  // event_ is to be offered again; nothing is read meanwhile
  bool up_ = false;
  Out outgoing_;
  std::deque<Out> queue_;
  bool writing_ = false;
  bool last_queued_ = false;
  bool leaving_ = false;
  bool closed_ = false;
  bool done_ = false;
  bool lost_told_ = false;
  bool drop_ = false;
  std::string reason_;
};

}  // namespace baton
