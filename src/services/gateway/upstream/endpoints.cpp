#include "services/gateway/upstream/endpoints.hpp"

#include <algorithm>

namespace ekiden::gateway {

namespace {

std::string name_of(const boost::asio::ip::tcp::endpoint& at) {
  const std::string host = at.address().to_string();
  return (at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port());
}

}  // namespace

Endpoint::Endpoint(boost::asio::ip::tcp::endpoint address, CircuitConfig circuit)
    : at(std::move(address)), name(name_of(at)), circuit_(circuit), breaker_(circuit) {}

bool Endpoint::admits(Instant now) const {
  const MutexLock lock(mutex_);
  return breaker_.admits(now);
}
void Endpoint::enter(Instant now) {
  const MutexLock lock(mutex_);
  breaker_.enter(now);
}
void Endpoint::succeeded() {
  const MutexLock lock(mutex_);
  breaker_.succeeded();
}
void Endpoint::failed(Instant now) {
  const MutexLock lock(mutex_);
  breaker_.failed(now);
}
void Endpoint::left() {
  const MutexLock lock(mutex_);
  breaker_.left();
}
void Endpoint::recovered() {
  const MutexLock lock(mutex_);
  breaker_ = CircuitBreaker(circuit_);
}
CircuitBreaker::State Endpoint::circuit() const {
  const MutexLock lock(mutex_);
  return breaker_.state();
}

EndpointSet::EndpointSet(CircuitConfig circuit, Random& random) : circuit_(circuit) {
  std::uint64_t seed = 0;
  random.fill(std::as_writable_bytes(std::span(&seed, 1)));
  const MutexLock lock(mutex_);
  state_ = seed;
}

void EndpointSet::replace(const std::vector<boost::asio::ip::tcp::endpoint>& addresses) {
  const MutexLock lock(mutex_);
  std::vector<EndpointPtr> fresh;
  for (const auto& address : addresses) {
    const auto is_it = [&address](const EndpointPtr& each) { return each->at == address; };
    if (std::ranges::any_of(fresh, is_it)) continue;
    const auto known = std::ranges::find_if(endpoints_, is_it);
    fresh.push_back(known != endpoints_.end() ? *known : std::make_shared<Endpoint>(address, circuit_));
  }
  for (const EndpointPtr& each : endpoints_) {
    if (std::ranges::find(fresh, each) == fresh.end()) each->unlist();
  }
  endpoints_ = std::move(fresh);
}

/// @source Steele, Lea, Flood: Fast splittable pseudorandom number generators (SplitMix64)
std::size_t EndpointSet::draw(std::size_t below) {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  return static_cast<std::size_t>((mixed ^ (mixed >> 31U)) % below);
}

EndpointPtr EndpointSet::pick(Instant now, std::span<const EndpointPtr> tried) {
  const MutexLock lock(mutex_);
  candidates_.clear();
  int best = 4;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const EndpointPtr& each = endpoints_[i];
    if (!each->admits(now)) continue;
    const bool is_tried = std::ranges::find(tried, each) != tried.end();
    const int rank = (is_tried ? 2 : 0) + (each->is_wanted() ? 0 : 1);
    if (rank > best) continue;
    if (rank < best) candidates_.clear();
    best = rank;
    candidates_.push_back(i);
  }
  if (candidates_.empty()) return nullptr;
  std::size_t chosen = draw(candidates_.size());
  if (candidates_.size() > 1) {
    // Another one than the first, each with the same chance.
    const std::size_t other = (chosen + 1 + draw(candidates_.size() - 1)) % candidates_.size();
    if (endpoints_[candidates_[other]]->in_flight() < endpoints_[candidates_[chosen]]->in_flight())
      chosen = other;
  }
  EndpointPtr picked = endpoints_[candidates_[chosen]];
  picked->enter(now);
  return picked;
}

std::vector<EndpointPtr> EndpointSet::all() const {
  const MutexLock lock(mutex_);
  return endpoints_;
}

}  // namespace ekiden::gateway
