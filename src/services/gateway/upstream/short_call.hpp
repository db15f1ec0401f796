#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/internal_caller.hpp"
#include "services/gateway/upstream/forward.hpp"
#include "services/gateway/upstream/upstream.hpp"
#include "services/service_caller.hpp"

namespace ekiden::gateway {

class RemoteCaller;

/// A small GET on a kept connection, without a coroutine: most calls are such. Whatever turns out to be
/// different (no connection rests, the answer is large or does not come) ends as the long way would.
/// Lives on its loop.
class ShortCall final : public services::ReadyCall,
                        public http::Receiver,
                        public std::enable_shared_from_this<ShortCall> {
 public:
  ShortCall(const RemoteCaller& caller, std::shared_ptr<Lane> lane, std::shared_ptr<Upstream> upstream,
            const http::Route& route, const http::FastRequest& request,
            const std::optional<http::Identity>& identity, services::ReadyCall::Done done);

  bool send(http::Headers& drawn) override;
  void received(Result<void> how) override;

 private:
  void take_head();
  void finish();
  void pass_on();
  void answer(http::Response response);
  void fail(const Error& error);

  const RemoteCaller& caller_;
  const std::shared_ptr<Lane> lane_;
  const std::shared_ptr<Upstream> upstream_;
  const std::shared_ptr<http::OpenRequest> open_;
  const Deadline deadline_;
  services::ReadyCall::Done done_;
  std::string text_;  ///< first the request, then the answer's fields
  http::Headers budget_;
  std::string body_;
  std::optional<http::Response> response_;  ///< instead, where the server is to compress it
  int status_ = 0;
  std::optional<Trial> trial_;
  std::optional<Lease> lease_;
  bool has_head_ = false;
  bool is_large_ = false;
};

}  // namespace ekiden::gateway
