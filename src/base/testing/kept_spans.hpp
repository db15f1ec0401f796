#pragma once

#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "base/trace.hpp"

namespace ekiden::testing {

/// Takes every span of a sampled trace.
class KeptSpans final : public SpanSink {
 public:
  void record(Span span) override {
    const MutexLock lock(mutex_);
    spans_.push_back(std::move(span));
  }
  bool wants(const TraceContext& context) const override { return context.sampled; }
  std::vector<Span> spans() const {
    const MutexLock lock(mutex_);
    return spans_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<Span> spans_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::testing
