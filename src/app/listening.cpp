#include "app/listening.hpp"

#include <stdexcept>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/options.hpp"
#include "runtime/block_on.hpp"

namespace ekiden::app {

namespace {

/// The most that workout.upload_files_max allows, and what comes beside the files.
constexpr std::size_t kFormFilesMax = 1000;
constexpr std::size_t kFormFieldsMax = 64;

http::TrustedProxies proxies_of(const ProcessConfig& config) {
  auto proxies =
      http::TrustedProxies::parse(config.trusted_proxies, static_cast<std::size_t>(config.proxy_hops));
  if (!proxies) throw std::runtime_error("server.trusted_proxies: " + proxies.error().text());
  return *std::move(proxies);
}

runtime::Task<void> wait_for(Duration delay) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, delay);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

http::ServerConfig server_config_of(const ProcessParts& process, std::string_view name) {
  const ProcessConfig settings = read_process_config(process.config);
  http::ServerConfig server;
  server.address = settings.address;
  server.port = settings.port;
  server.trusted_proxies = proxies_of(settings);
  server.spool_folder = process.stores.spool_folder();
  process.stores.clear_spool();
  server.connections_max = static_cast<std::size_t>(settings.connections_max);
  // A folder of files comes as one form; one more than it may hold is left for the service to refuse by name.
  server.multipart.files_max = kFormFilesMax + 1;
  server.multipart.parts_max = server.multipart.files_max + kFormFieldsMax;
  server.spans = process.spans;
  server.service = name;
  if (process.spans != nullptr) server.traced_share = settings.traced_share;
  return server;
}

std::vector<boost::asio::any_io_executor> executors_of(const runtime::LoopExecutor& loops) {
  std::vector<boost::asio::any_io_executor> executors;
  executors.reserve(loops.loops());
  for (std::size_t i = 0; i < loops.loops(); ++i) executors.push_back(loops.executor(i));
  return executors;
}

void send_away(http::Server& server, runtime::LoopExecutor& loops, Duration delay) {
  server.send_away();
  runtime::Task<void> wait = wait_for(delay);
  runtime::block_on(loops, std::move(wait));
}

}  // namespace ekiden::app
