#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "http/answer_framing.hpp"
#include "http/body.hpp"
#include "http/body_stream.hpp"
#include "http/loop.hpp"
#include "http/watch.hpp"

namespace ekiden::http {

/// Waits for what comes on a connection.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void received(Result<void> how) = 0;
};

/// One connection to a server: sends requests one after another and takes the answers piece by piece, whole
/// bodies never being in memory. Lives on one loop; one coroutine writes and one reads at a time.
///
/// Errors of all operations: unavailable `upstream-unreachable` (nothing was sent), unavailable
/// `upstream-broken` (it may have happened), timeout `upstream-timeout` (the same), unavailable
/// `client-gone`. After an error the connection is of no use any more.
class Outbound final : public Watched {
 public:
  /// Throws std::logic_error where the loop is no io_context.
  Outbound(const boost::asio::any_io_executor& loop, std::shared_ptr<Watch> watch, FramingLimits limits);
  ~Outbound();

  /// Watches over what follows: it fails at `until`, and where `client` (null: nobody) has gone.
  void begin(Instant until, std::shared_ptr<Asker> client);
  /// Moves the time at which what is under way fails.
  void extend(Instant until) { until_ = until; }
  /// Ends the watch: the connection rests.
  void rest();

  runtime::Task<Result<void>> connect(boost::asio::ip::tcp::endpoint to);
  runtime::Task<Result<void>> write(std::string_view bytes);
  /// Takes the head of the next answer; those with a status below 200 but for 101 are skipped.
  /// @param to_head the request was HEAD: no body follows.
  runtime::Task<Result<void>> read_head(bool to_head);
  /// The head, good until the body is read.
  const AnswerView& head() const { return head_; }
  /// Bytes of the body where the head tells; 0 where none follows.
  std::optional<std::int64_t> body_size() const;
  /// Appends the next piece of the body; false after the last one.
  runtime::Task<Result<bool>> read_body(std::string& piece);
  bool body_done() const { return body_done_; }

  // The same without coroutines.
  /// Sends what can be sent at once; true where that is all.
  bool send_now(std::string_view bytes);
  /// Tells `receiver` once that more has come, or that nothing will.
  void receive(std::shared_ptr<Receiver> receiver);
  /// Takes the head as read_head() does from what has come; false: more is needed.
  Result<bool> take_head(bool to_head);
  /// Appends what has come of a body whose size is known.
  void take_known(std::string& piece) { take_length(piece); }

  /// Whether an answer has begun to come since begin().
  bool got_bytes() const { return got_bytes_; }
  /// Whether anything has been sent since begin().
  bool has_written() const { return has_written_; }
  /// No other request will follow on it.
  void spend() { keep_alive_ = false; }
  /// True where the answer is read whole and another request may follow.
  bool is_reusable() const;
  /// False where the other side has closed a resting connection, or has said something unasked.
  bool is_quiet();
  Instant resting_since() const { return resting_since_; }

  /// Gives the connection away, with what has come behind the head.
  boost::asio::ip::tcp::socket release(std::string& early);
  void check(Instant now) override;

 private:
  enum class Body : std::uint8_t { none, length, chunked, to_end };

  Error failure(bool may_have_happened) const;
  runtime::Task<Result<void>> fill(std::size_t capacity_max);
  bool make_room(std::size_t capacity_max);
  Result<void> note_input(boost::system::error_code failed, std::size_t size);
  void start_body(bool to_head);
  bool take_length(std::string& piece);
  void end(std::optional<Error> reason);
  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

  LoopSocket socket_;
  const std::shared_ptr<Watch> watch_;
  const FramingLimits limits_;
  std::shared_ptr<Asker> client_;
  Instant until_ = Instant::max();
  Instant client_seen_at_{};
  Instant resting_since_{};
  std::optional<Error> ended_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t searched_ = 0;  ///< how far take_head() has looked
  AnswerView head_;
  Body body_ = Body::none;
  std::int64_t length_left_ = 0;
  std::optional<BodyReader> chunks_;
  bool body_done_ = false;
  bool got_bytes_ = false;
  bool has_written_ = false;
  bool keep_alive_ = true;
  bool eof_ = false;
};

}  // namespace ekiden::http
