#include "services/gateway/options.hpp"

namespace ekiden::gateway {

namespace {

using std::chrono::seconds;

constexpr Option<bool> kEnabled{
    .key = "limits.enabled", .help = "Whether clients have budgets; off for load tests.", .fallback = true};

constexpr Option<double> rate(std::string_view key, std::string_view help, double fallback) {
  return {.key = key, .help = help, .fallback = fallback, .min = 0.001, .max = 1'000'000};
}
constexpr Option<std::int64_t> burst(std::string_view key, std::string_view help, std::int64_t fallback) {
  return {.key = key, .help = help, .fallback = fallback, .min = 1, .max = 1'000'000};
}

constexpr auto kReadRate =
    rate("limits.read_per_s", "Reads per second of one person (or address), over time.", 50);
constexpr auto kReadBurst = burst("limits.read_burst", "Reads that may come at once after a rest.", 200);
constexpr auto kWriteRate = rate("limits.write_per_s", "Writes per second of one person.", 10);
constexpr auto kWriteBurst = burst("limits.write_burst", "Writes that may come at once after a rest.", 60);
constexpr auto kUploadRate = rate("limits.upload_per_s", "Uploads per second of one person.", 5);
constexpr auto kUploadBurst =
    burst("limits.upload_burst", "Uploads that may come at once after a rest: a folder of files.", 1200);
constexpr auto kAuthRate =
    rate("limits.auth_per_s", "Registrations, sign-ins and renewals per second of one address.", 0.5);
constexpr auto kAuthBurst =
    burst("limits.auth_burst", "Of these, how many may come at once after a rest.", 20);
constexpr auto kAddressRate =
    rate("limits.address_per_s", "Requests without a valid token per second of one address.", 200);
constexpr auto kAddressBurst =
    burst("limits.address_burst", "Of these, how many may come at once after a rest.", 1000);
constexpr Option<std::int64_t> kTokens{
    .key = "gateway.tokens_remembered",
    .help = "Access tokens whose signature is not checked again for a minute.",
    .fallback = 10'000,
    .min = 1,
    .max = 10'000'000};
constexpr Option<Milliseconds> kKeyRemembered{
    .key = "gateway.api_key_remembered",
    .help = "How long an API key is good after it was looked up: so long a deleted one lives on.",
    .fallback = seconds{30},
    .min = seconds{1},
    .max = seconds{3600}};
constexpr Option<std::int64_t> kRevocations{
    .key = "gateway.revocations_max",
    .help = "Ended sessions that are remembered until their access tokens expire; the oldest goes beyond it.",
    .fallback = 200'000,
    .min = 1,
    .max = 100'000'000};
constexpr Option<std::int64_t> kLoops{
    .key = "gateway.loops", .help = "Event loops, a thread each.", .fallback = 1, .min = 1, .max = 256};
constexpr Option<std::int64_t> kInFlight{.key = "gateway.inflight_max",
                                         .help = "Requests in work at once; more get 503.",
                                         .fallback = 4096,
                                         .min = 1,
                                         .max = 1'000'000};

}  // namespace

std::vector<OptionInfo> options() {
  return {kEnabled,       kReadRate,    kReadBurst, kWriteRate,   kWriteBurst,   kUploadRate,
          kUploadBurst,   kAuthRate,    kAuthBurst, kAddressRate, kAddressBurst, kTokens,
          kKeyRemembered, kRevocations, kLoops,     kInFlight};
}

GatewayConfig read_config(const Config& config) {
  return {.limits_enabled = config.get(kEnabled),
          .read = {.rate_per_s = config.get(kReadRate), .burst = config.get(kReadBurst)},
          .write = {.rate_per_s = config.get(kWriteRate), .burst = config.get(kWriteBurst)},
          .upload = {.rate_per_s = config.get(kUploadRate), .burst = config.get(kUploadBurst)},
          .auth = {.rate_per_s = config.get(kAuthRate), .burst = config.get(kAuthBurst)},
          .address = {.rate_per_s = config.get(kAddressRate), .burst = config.get(kAddressBurst)},
          .tokens_remembered = static_cast<std::size_t>(config.get(kTokens)),
          .key_remembered = std::chrono::duration_cast<seconds>(config.get(kKeyRemembered)),
          .revocations_max = static_cast<std::size_t>(config.get(kRevocations)),
          .loops = config.get(kLoops),
          .inflight_max = config.get(kInFlight)};
}

runtime::Model model(const GatewayConfig& config) {
  return runtime::EventLoop{.loops = static_cast<std::size_t>(config.loops),
                            .inflight_max = static_cast<std::size_t>(config.inflight_max)};
}

}  // namespace ekiden::gateway
