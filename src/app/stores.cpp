#include "app/stores.hpp"

#include <stdexcept>

#include "app/options.hpp"

namespace ekiden::app {

Stores::Stores(const Config& config, StoresConfig settings, const Clock& clock, Random& random,
               runtime::FiguresRegistry& figures, const Logger& logger)
    : config_(config),
      settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      figures_(figures),
      logger_(logger) {
  const std::string shared = read_process_config(config).cluster_keys;
  // A command on a cluster keeps nothing here.
  if (!settings_.is_beside_server || shared.empty()) {
    for (const char* folder : {"", "keys", "spool"}) make_private_folder(settings_.data / folder);
  }
  secrets_ = load_secrets(shared.empty() ? settings_.data / "keys" : std::filesystem::path(shared), random);
}

Stores::~Stores() = default;

void Stores::clear_spool() const {
  std::error_code ignored;  // What cannot be removed only takes room.
  for (const auto& entry : std::filesystem::directory_iterator(spool_folder(), ignored))
    std::filesystem::remove(entry.path(), ignored);
}

AdapterContext Stores::context(std::string_view name, sql::Database* own) {
  return {.config = config_,
          .data = settings_.data,
          .name = std::string(name),
          .own = own,
          .is_beside_server = settings_.is_beside_server,
          .shared = shared_,
          .on_fatal = settings_.on_fatal,
          .clock = clock_,
          .random = random_,
          .figures = figures_,
          .logger = logger_};
}

sql::Database& Stores::database(std::string_view service, const std::vector<sql::Migration>& migrations) {
  auto& slot = databases_[std::string(service)];
  if (slot) return *slot;
  slot = make_database(context(service));
  const Result<int> applied = sql::migrate(*slot, migrations);
  if (!applied) {
    throw std::runtime_error("the tables of " + std::string(service) +
                             " cannot be brought up to date: " + applied.error().text());
  }
  if (*applied > 0) logger_.info("schema_migrated", {{"database", service}, {"steps", *applied}});
  return *slot;
}

log::Log& Stores::log() {
  if (!log_) log_ = make_log(context("log"));
  return *log_;
}

ranking::Ranking& Stores::ranking() {
  if (!ranking_) ranking_ = make_ranking(context("ranking"));
  return *ranking_;
}

claims::Claims& Stores::claims(std::string_view service, sql::Database& own) {
  auto& slot = claims_[std::string(service)];
  if (!slot) slot = make_claims(context(service, &own));
  return *slot;
}

limits::Limits& Stores::limits() {
  if (!limits_) limits_ = make_limits(context("limits"));
  return *limits_;
}

blobs::Blobs& Stores::blobs() {
  if (!blobs_) blobs_ = make_blobs(context("blobs"));
  return *blobs_;
}

std::optional<redis::ClientFigures> Stores::redis_figures() const {
  if (!shared_.redis) return std::nullopt;
  return shared_.redis->figures();
}

std::optional<limits::RedisLimitsFigures> Stores::shared_limits_figures() const {
  if (shared_.redis_limits == nullptr) return std::nullopt;
  return shared_.redis_limits->figures();
}

void Stores::start_housekeeping() {
  if (shared_.blob_sweeps.empty()) return;
  housekeeper_ = std::make_unique<Housekeeper>(*shared_.blob_database, shared_.blob_sweeps, clock_, logger_);
  housekeeping_ =
      std::make_unique<runtime::WorkerThread>(runtime::ExecutorLabel{"process", "housekeeping"},
                                              [this](std::stop_token stop) { housekeeper_->run(stop); });
}

void Stores::stop_housekeeping() {
  housekeeping_.reset();
}

}  // namespace ekiden::app
