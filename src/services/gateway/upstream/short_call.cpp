#include "services/gateway/upstream/short_call.hpp"

#include <algorithm>
#include <utility>

#include "http/problem.hpp"
#include "http/request_maker.hpp"
#include "services/gateway/upstream/call_text.hpp"
#include "services/gateway/upstream/remote_caller.hpp"

namespace ekiden::gateway {

ShortCall::ShortCall(const RemoteCaller& caller, std::shared_ptr<Lane> lane,
                     std::shared_ptr<Upstream> upstream, const http::Route& route,
                     const http::FastRequest& request, const std::optional<http::Identity>& identity,
                     services::ReadyCall::Done done)
    : caller_(caller),
      lane_(std::move(lane)),
      upstream_(std::move(upstream)),
      open_(request.open),
      deadline_(Deadline::after(lane_->clock(), std::min<Duration>(route.timeout, request.timeout_max))),
      done_(std::move(done)) {
  const http::HeadView& head = request.head;
  const TraceContext& trace = open_->begin(route);
  text_.reserve(1024);
  append_request(text_, head.verb, head.target, head.fields(), head.get("Connection"));
  append_field(text_, "X-Request-Id", open_->request_id());
  append_field(text_, "traceparent", trace.to_traceparent());
  append_field(
      text_, http::kInternalCallerHeader,
      caller_.signer_.sign(head.verb, head.target, identity, request.client_address, lane_->clock().now()));
}

bool ShortCall::send(http::Headers& drawn) {
  const EndpointPtr endpoint = upstream_->endpoints.pick(lane_->clock().monotonic(), {});
  if (!endpoint) return false;
  trial_.emplace(endpoint);
  std::optional<Lease> kept = lane_->acquire_kept(endpoint, deadline_.at(), open_);
  if (!kept) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_.left(lane_->clock()));
  append_field(text_, http::kTimeoutHeader, std::to_string(std::max<std::int64_t>(left.count(), 1)));
  text_ += "\r\n";
  if (!kept->connection().send_now(text_)) {
    // Of what a full socket has taken, a GET may be sent again.
    kept->connection().spend();
    return false;
  }
  lease_.emplace(*std::move(kept));
  budget_ = std::move(drawn);
  upstream_->retries.earn();
  lease_->connection().receive(shared_from_this());
  return true;
}

void ShortCall::received(Result<void> how) {
  if (!how) return fail(how.error());
  http::Outbound& connection = lease_->connection();
  if (!has_head_) {
    const Result<bool> is_whole = connection.take_head(false);
    if (!is_whole) return fail(is_whole.error());
    if (!*is_whole) return connection.receive(shared_from_this());
    take_head();
  }
  if (is_large_) return pass_on();
  connection.take_known(body_);
  if (!connection.body_done()) return connection.receive(shared_from_this());
  finish();
}

void ShortCall::take_head() {
  has_head_ = true;
  const http::AnswerView& head = lease_->connection().head();
  const std::optional<std::int64_t> size = lease_->connection().body_size();
  is_large_ = !size || *size > kSmallBody;
  if (is_large_) return;
  status_ = head.status;
  if (static_cast<std::size_t>(*size) >= open_->compress_from() && head.get("Content-Encoding").empty()) {
    response_ = response_of(head);
    return;
  }
  text_.clear();
  for (const http::FieldView& field : head.fields()) {
    if (goes_on(field, head)) append_field(text_, field.name, field.value);
  }
}

void ShortCall::finish() {
  upstream_->answered.add();
  trial_->succeeded();
  lease_.reset();
  done_(status_);
  if (!response_) {
    for (const auto& [name, value] : budget_.all()) append_field(text_, name, value);
    return open_->answer(http::WholeAnswer{.status = status_, .fields = text_, .body = body_});
  }
  response_->body = std::move(body_);
  answer(*std::move(response_));
}

void ShortCall::pass_on() {
  upstream_->answered.add();
  trial_->succeeded();
  done_(lease_->connection().head().status);
  answer(pass_answer(*std::exchange(lease_, std::nullopt), caller_.config_.stall_timeout));
}

void ShortCall::answer(http::Response response) {
  for (const auto& [name, value] : budget_.all()) response.headers.set(name, value);
  open_->answer(std::move(response));
}

void ShortCall::fail(const Error& error) {
  Attempt made = failed(lease_->connection(), error);
  made.was_kept = true;
  lease_.reset();
  caller_.judge(*upstream_, *trial_, made, deadline_);
  Call call;
  call.is_repeatable = true;
  call.deadline = deadline_;
  if (caller_.may_repeat(*upstream_, call, made)) {
    upstream_->retried.add();
    open_->set_drawn(std::move(budget_));
    return open_->give_back();
  }
  http::Response response = http::problem(error, open_->request_id());
  done_(response.status);
  answer(std::move(response));
}

}  // namespace ekiden::gateway
