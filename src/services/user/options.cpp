#include "services/user/service.hpp"

namespace ekiden::user {

namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Option<std::string> kRegistration{.key = "user.registration",
                                            .help = "Who may make an account.",
                                            .fallback = "open",
                                            .one_of = "open|invitation|closed"};
constexpr Option<Milliseconds> kAccessTtl{.key = "user.access_token_ttl",
                                          .help = "How long an access token is good.",
                                          .fallback = std::chrono::minutes{15},
                                          .min = seconds{1},
                                          .max = hours{24}};
constexpr Option<Milliseconds> kSessionTtl{.key = "user.session_ttl",
                                           .help = "How long a session lives that nobody uses.",
                                           .fallback = hours{24 * 60},
                                           .min = std::chrono::minutes{1},
                                           .max = hours{24 * 400}};
constexpr Option<Milliseconds> kInvitationTtl{.key = "user.invitation_ttl",
                                              .help = "How long an invitation can be used.",
                                              .fallback = hours{24 * 14},
                                              .min = std::chrono::minutes{1},
                                              .max = hours{24 * 400}};
constexpr Option<Milliseconds> kResetTtl{.key = "user.reset_ttl",
                                         .help = "How long a password reset token can be used.",
                                         .fallback = std::chrono::minutes{15},
                                         .min = seconds{1},
                                         .max = hours{24}};
constexpr Option<std::int64_t> kKeysMax{.key = "user.api_keys_max",
                                        .help = "API keys that one person may have.",
                                        .fallback = 20,
                                        .min = 0,
                                        .max = 1000};
constexpr Option<std::int64_t> kThreads{.key = "user.threads",
                                        .help = "Threads that answer requests, one each.",
                                        .fallback = 8,
                                        .min = 1,
                                        .max = 512};
constexpr Option<std::int64_t> kQueueMax{.key = "user.queue_max",
                                         .help = "Requests that wait for a thread; more get 503.",
                                         .fallback = 512,
                                         .min = 1,
                                         .max = 100'000};
constexpr Option<std::int64_t> kHashThreads{.key = "user.hash_threads",
                                            .help = "Passwords that are hashed at the same time.",
                                            .fallback = 1,
                                            .min = 1,
                                            .max = 64};
constexpr Option<std::int64_t> kHashQueueMax{
    .key = "user.hash_queue_max",
    .help =
        "Sign-ins and other requests that wait for their password to be "
        "hashed; more get 503.",
    .fallback = 32,
    .min = 1,
    .max = 10'000};
constexpr Option<std::int64_t> kHashMemory{.key = "user.hash_memory_kib",
                                           .help = "Memory of one Argon2id hash, KiB.",
                                           .fallback = 19 * 1024,
                                           .min = 8,
                                           .max = 1024 * 1024};
constexpr Option<std::int64_t> kHashPasses{
    .key = "user.hash_passes", .help = "Passes of one Argon2id hash.", .fallback = 2, .min = 1, .max = 64};

Registration registration_of(const std::string& text) {
  if (text == "invitation") return Registration::invitation;
  return text == "closed" ? Registration::closed : Registration::open;
}

}  // namespace

std::vector<OptionInfo> options() {
  return {kRegistration, kAccessTtl, kSessionTtl,  kInvitationTtl, kResetTtl,   kKeysMax,
          kThreads,      kQueueMax,  kHashThreads, kHashQueueMax,  kHashMemory, kHashPasses};
}

UserConfig read_config(const Config& config) {
  return {.registration = registration_of(config.get(kRegistration)),
          .access_ttl = duration_cast<seconds>(config.get(kAccessTtl)),
          .session_ttl = duration_cast<seconds>(config.get(kSessionTtl)),
          .reset_ttl = duration_cast<seconds>(config.get(kResetTtl)),
          .invitation_ttl = duration_cast<seconds>(config.get(kInvitationTtl)),
          .api_keys_max = config.get(kKeysMax),
          .request_threads = config.get(kThreads),
          .request_queue_max = config.get(kQueueMax),
          .hash_threads = config.get(kHashThreads),
          .hash_queue_max = config.get(kHashQueueMax),
          .hash_memory_kib = config.get(kHashMemory),
          .hash_passes = config.get(kHashPasses)};
}

}  // namespace ekiden::user
