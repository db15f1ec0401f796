#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/body_stream.hpp"
#include "http/internal_caller.hpp"
#include "http/route.hpp"
#include "services/gateway/upstream/lane.hpp"

namespace ekiden::gateway {

/// A call as it is sent to whichever process takes it.
struct Call {
  http::Verb verb = http::Verb::get;
  std::string head;  ///< request line and headers, without the deadline and without the empty line
  std::string body;  ///< whole; empty where it passes through
  std::shared_ptr<http::ClientSide> client;  ///< null where a part of Ekiden asks for itself
  bool is_streamed = false;                  ///< the body comes from `client`, piece by piece
  bool states_deadline = false;              ///< the client has said itself how long it waits
  bool is_repeatable = false;                ///< doing it twice is doing it once
  Deadline deadline;
  Duration timeout{};  ///< the route's: for the answer, once a streamed body is sent
};

/// Makes the call of a request: what concerns one connection only, what only the outside may not see, and
/// the client's proofs of who it is are left out; who asks is said in a signed header.
Call make_call(const http::Route& route, http::Request& request, const http::CallSigner& signer,
               Timestamp now);

/// Reads a small body whole, so that the call can be made again. @errors those of the client's body.
runtime::Task<Result<void>> take_small_body(Call& call);

/// A body up to this size is read whole before it is passed on, in either direction.
constexpr std::int64_t kSmallBody = 64 * 1024;

/// How far an attempt came before it failed.
enum class Reach : std::uint8_t {
  unsent,  ///< nothing has left: it has not happened
  sent,    ///< it may have happened
  answered
};

struct Attempt {
  Result<http::Response> answer;
  Reach reach = Reach::unsent;
  bool is_clients_fault = false;  ///< the client's body broke off, or the client went
  bool was_kept = false;          ///< on a connection that earlier calls were made on
};

/// An attempt that failed on this connection.
Attempt failed(const http::Outbound& connection, Error error);
/// Status and headers of an answer, for the client.
http::Response response_of(const http::AnswerView& head);
/// The answer whose head has been read, its body still on the connection, which the response then holds.
/// @param stall for how long the body may stand still.
http::Response pass_answer(Lease lease, Duration stall);

/// Sends the call on this connection and takes its answer; a large body is left on the connection, which the
/// response then holds. @param stall for how long a body may stand still.
runtime::Task<Attempt> forward(Lease lease, const Call& call, Duration stall);

}  // namespace ekiden::gateway
