#pragma once

#include <atomic>
#include <fstream>
#include <latch>
#include <sstream>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "http/digest.hpp"
#include "http/problem.hpp"
#include "http/server.hpp"

namespace ekiden::http::testing {

/// Echoes what it was given, by the path.
class Echo final : public Dispatcher {
 public:
  Fast try_fast(const FastRequest& request, FastReply& reply) override {
    if (request.head.path() == "/fast") {
      reply.body = R"({"fast":true})";
      return Fast::answered;
    }
    if (request.head.path() == "/big") {
      reply.body.assign(64 * 1024 * 1024, 'x');
      return Fast::answered;
    }
    return Fast::no;
  }

  runtime::Task<Admission> admit(Request& request) override {
    ++admitted;
    if (request.path == "/refused")
      co_return problem(Error{Errc::unauthenticated, "no-token", "Sign in."}, request.request_id);
    if (request.path == "/throws") throw std::runtime_error("SELECT secret");
    if (request.path == "/upgrade") co_return Upgrade{&Echo::take};
    if (request.path == "/json") co_return Admitted{&route_, BodyPolicy::json(1000)};
    if (request.path == "/deadline") co_return Admitted{&route_, BodyPolicy::json(4 * 1024 * 1024)};
    if (request.path == "/large") co_return Admitted{&route_, BodyPolicy::json(4 * 1024 * 1024)};
    if (request.path == "/form") co_return Admitted{&route_, BodyPolicy::multipart(1024 * 1024)};
    co_return Admitted{&route_, {}};
  }

  runtime::Task<Response> handle(const Route&, Request request) override {
    ++handled;
    if (request.path == "/explodes") throw std::runtime_error("SELECT secret");
    if (request.path == "/deadline") {
      const auto at = request.deadline.at().time_since_epoch();
      co_return Response::json(
          200, std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(at).count()));
    }
    if (request.path == "/waits") co_await wait_for_gate();
    if (request.path == "/stream" || request.path == "/sized") co_return stream(request.path == "/sized");
    if (request.path == "/broken-stream") co_return broken_stream();
    if (request.form) co_return show_form(*request.form);
    if (request.path == "/who") co_return Response::json(200, show_who(request));
    if (request.path == "/text") co_return Response::json(200, std::string(100'000, 'a'));
    co_return Response::json(200, request.body.empty() ? "{}" : request.body);
  }

  static void take(UpgradedConnection taken) {
    const std::string text =
        "HTTP/1.1 101 Switching Protocols\r\n\r\n" + taken.early + "|" + taken.request.path;
    boost::asio::write(taken.socket, boost::asio::buffer(text));
  }

  std::atomic<int> admitted = 0;
  std::atomic<int> handled = 0;
  std::latch waiting{1};
  std::latch gate{1};

 private:
  runtime::Task<void> wait_for_gate() {
    waiting.count_down();
    boost::asio::steady_timer pause{co_await boost::asio::this_coro::executor};
    while (!gate.try_wait()) {
      pause.expires_after(std::chrono::milliseconds{1});
      co_await pause.async_wait(boost::asio::use_awaitable);
    }
  }

  static Response stream(bool sized) {
    Response response = Response::json(200, {});
    response.stream = [left = 3](std::string& piece) mutable -> Result<bool> {
      piece += std::string(100'000, static_cast<char>('0' + left));
      return --left > 0;
    };
    if (sized) response.stream_size = 300'000;
    return response;
  }

  static Response broken_stream() {
    Response response = Response::json(200, {});
    response.stream = [first = true](std::string& piece) mutable -> Result<bool> {
      if (!std::exchange(first, false)) return Error{Errc::unavailable, "blob-lost", "x"};
      piece = "part";
      return true;
    };
    return response;
  }

  static Response show_form(const Form& form) {
    std::string text;
    for (const auto& [name, value] : form.fields) text += name + "=" + value + ";";
    for (const ReceivedFile& file : form.files) {
      std::ifstream in(file.path(), std::ios::binary);
      std::ostringstream bytes;
      bytes << in.rdbuf();
      const bool is_same =
          bytes.str().size() == static_cast<std::size_t>(file.size()) && sha256(bytes.str()) == file.sha256();
      text += file.field() + "@" + file.client_name() + ":" + std::to_string(file.size()) +
              (is_same ? "" : "!") + ";";
    }
    return Response::json(200, text);
  }

  static std::string show_who(const Request& request) {
    std::string text = request.client_address + " " + request.request_id + " " + request.trace.trace_id + " ";
    for (const auto& [name, value] : request.headers.all()) text += name + ",";
    return text;
  }

  Route route_{.verb = Verb::post, .pattern = "/", .handler = {}};
};

inline std::string get(std::string_view path, std::string_view headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body, std::string_view headers = {}) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace ekiden::http::testing
