#include "services/workout/activity/sample_builder.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace ekiden::activity {
namespace {

template <class T>
bool is_present(T value) {
  return !std::isnan(value);
}
bool is_present(std::int64_t) {
  return true;
}

template <class T>
void append(std::vector<T>& column, std::size_t size, T absent, std::span<const Sample> batch,
            T Sample::* member) {
  if (column.empty()) {
    const bool any =
        std::ranges::any_of(batch, [&](const Sample& sample) { return is_present(sample.*member); });
    if (!any) return;
  }
  if (column.capacity() < size + batch.size()) column.reserve((size + batch.size()) / 2 * 3 + 512);
  column.resize(size, absent);
  for (const Sample& sample : batch) column.push_back(sample.*member);
}

}  // namespace

void SampleBuilder::flush() {
  const std::span<const Sample> batch{batch_.data(), count_};
  const std::size_t size = samples_.size();
  append(samples_.latitude_deg, size, kAbsentPosition, batch, &Sample::latitude_deg);
  append(samples_.longitude_deg, size, kAbsentPosition, batch, &Sample::longitude_deg);
  append(samples_.distance_m, size, kAbsentPosition, batch, &Sample::distance_m);
  append(samples_.altitude_m, size, kAbsentPosition, batch, &Sample::altitude_m);
  append(samples_.speed_mps, size, kAbsent, batch, &Sample::speed_mps);
  append(samples_.heart_rate_bpm, size, kAbsent, batch, &Sample::heart_rate_bpm);
  append(samples_.cadence_rpm, size, kAbsent, batch, &Sample::cadence_rpm);
  append(samples_.power_w, size, kAbsent, batch, &Sample::power_w);
  append(samples_.temperature_c, size, kAbsent, batch, &Sample::temperature_c);
  append(samples_.time_ms, size, kNoTime, batch, &Sample::time_ms);
  count_ = 0;
}

Samples SampleBuilder::take() {
  flush();
  batch_[0] = Sample{};
  return std::exchange(samples_, Samples{});
}

}  // namespace ekiden::activity
