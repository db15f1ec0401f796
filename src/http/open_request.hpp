#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "base/trace.hpp"
#include "http/message.hpp"

namespace ekiden::http {

struct Route;

/// Whoever waits for an answer.
class Asker {
 public:
  virtual ~Asker() = default;
  /// True once they have closed their side: nobody waits any more. Never blocks.
  virtual bool is_gone() = 0;
};

/// An answer that is there whole.
struct WholeAnswer {
  int status = 200;
  std::string_view fields;  ///< header lines, each with its CRLF; none that frames the answer
  std::string_view body;
};

/// A request without a body that was taken on (Fast::taken): answered later, once, by what took it, which
/// keeps this meanwhile. Where nobody waits any more the answer is dropped. Lives on its connection's loop.
class OpenRequest : public Asker {
 public:
  virtual const boost::asio::any_io_executor& loop() const = 0;
  /// Begins the work on it: our step of its trace, and its id. Once, before it is taken.
  virtual const TraceContext& begin(const Route& route) = 0;
  /// Ours, or the one that it brought. Good after begin().
  virtual std::string_view request_id() const = 0;
  /// From this size on a body that is not compressed yet should be given as a Response.
  virtual std::size_t compress_from() const = 0;

  virtual void answer(const WholeAnswer& answer) = 0;
  virtual void answer(Response response) = 0;
  /// Goes the long way after all.
  virtual void give_back() = 0;
  /// What was drawn on its budget for it, as headers of its answer: the long way draws nothing then.
  virtual void set_drawn(Headers drawn) = 0;
};

}  // namespace ekiden::http
