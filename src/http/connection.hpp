#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "http/body.hpp"
#include "http/form_receiver.hpp"
#include "http/loop.hpp"
#include "http/open_request.hpp"
#include "http/respond.hpp"

namespace ekiden::http {

/// One client's connection: finds heads, gives fast answers by itself, waits for those of requests that were
/// taken on (taken.cpp), and runs an exchange (exchange.cpp) for each other request, one at a time. Lives on
/// its loop.
class Connection final : public OpenRequest, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Server::Core> core, Loop& loop, LoopSocket socket);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  /// The loop's tick: acts where a timeout has passed.
  void check(Instant now);
  /// Closes an idle connection; one in use finishes its request. With `now` also that one is closed.
  void drain(bool now);

  // As a request that was taken on.
  bool is_gone() override;
  const boost::asio::any_io_executor& loop() const override { return loop_.any_executor; }
  std::string_view request_id() const override { return request_id_of_exchange_; }
  const TraceContext& begin(const Route& route) override;
  std::size_t compress_from() const override;
  void answer(const WholeAnswer& answer) override;
  void answer(Response response) override;
  void give_back() override;
  void set_drawn(Headers drawn) override { drawn_ = std::move(drawn); }

  Connection* previous = nullptr;  ///< of the loop's list
  Connection* next = nullptr;
  bool is_listed = false;

 private:
  friend class PassedRequest;
  enum class Phase : std::uint8_t { idle, head, body, busy, writing, lingering, closed };
  /// What to do once the output is written.
  enum class After : std::uint8_t { go_on, close };
  enum class Sent : std::uint8_t { all, some, failed };

  void read();
  void on_read(boost::system::error_code failed, std::size_t size);
  void take_input(std::size_t size);
  /// Takes what requests the buffer holds.
  void process();
  /// Reads one head; false where process() must stop.
  bool take_request();
  Fast try_fast(std::size_t head_size);
  void refuse(const Refusal& refusal);
  std::string client_of(const HeadView& head) const;
  void wait_for_head();
  /// Sends what it can at once; true where all is gone. Else the rest is sent and then `after` is done.
  bool flush(After after);
  Sent try_send();
  void write_rest(After after);
  void pace_start(Phase phase);
  void pace(std::size_t bytes);
  void linger();
  void close();
  /// Makes room behind what is unread, up to a buffer of `capacity_max`; false where there is none.
  bool make_room(std::size_t capacity_max);
  /// Makes the buffer this large where nothing unread is in it.
  void widen(std::size_t size);
  void set_timeout(Phase phase, Duration timeout);
  AnswerFrame frame_for(std::string_view id, bool keep_alive) const;
  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

  // The exchange, in exchange.cpp and exchange_io.cpp: a request that try_fast() left.
  void start_exchange(std::size_t head_size);
  static runtime::Task<void> exchange(std::shared_ptr<Connection> self, std::string head_bytes);
  runtime::Task<bool> answer(std::string& head_bytes);
  runtime::Task<bool> answer_admitted(Admitted admitted, Request request, HeadView& head);
  runtime::Task<bool> answer_passing(Admitted admitted, Request request, HeadView& head);
  runtime::Task<Admission> admit(Request& request);
  runtime::Task<Response> handle(const Route& route, Request request);
  void record_span(const Route& route, const TraceContext& trace, Timestamp start, int status) const;
  Response failure(std::string_view request_id, std::exception_ptr error) const;
  runtime::Task<Result<void>> read_body(Request& request, const HeadView& head, const BodyPolicy& policy);
  runtime::Task<Result<void>> read_form(Request& request, const HeadView& head, BodyReader& reader);
  runtime::Task<Result<void>> read_piece(BodyReader& reader, std::string& piece);
  runtime::Task<Result<void>> read_into(BodyReader& reader, MultipartParser& parser, FormReceiver& receiver);
  runtime::Task<Result<void>> read_more();
  runtime::Task<bool> send(Response response, const HeadView& head, bool keep_alive);
  runtime::Task<bool> send_stream(Response response, bool is_chunked);
  runtime::Task<Result<bool>> pull(Response& response, std::string& piece);
  runtime::Task<void> compress(Response& response, const HeadView& head);
  runtime::Task<bool> write(std::string_view more);
  bool skip_body(const HeadView& head);
  bool upgrade(Upgrade upgrade, Request request, std::string head_bytes);
  void exchange_done(bool keep_alive);

  /// What is kept of a request while whoever has taken it makes its answer. Its head stays in the buffer.
  struct Taken {
    std::size_t head_size = 0;
    bool keep_alive = true;
    bool takes_gzip = false;
    int version_minor = 1;
    const Route* route = nullptr;
    Timestamp start{};
  };
  void take(std::size_t head_size);
  void close_taken(int status);
  static runtime::Task<void> send_taken(std::shared_ptr<Connection> self, std::string head_bytes,
                                        Response response);

  std::shared_ptr<Server::Core> core_;
  Loop& loop_;
  LoopSocket socket_;
  boost::asio::ip::address peer_;
  std::string peer_text_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  ///< of what is not yet taken
  std::size_t end_ = 0;
  std::size_t searched_ = 0;  ///< how far find_head() has looked
  std::string out_;
  std::size_t out_sent_ = 0;
  std::size_t run_ = 0;  ///< requests answered since the buffer was last empty
  Phase phase_ = Phase::idle;
  Instant timeout_at_ = Instant::max();
  Instant paced_since_;  ///< start of the body or answer that is under way
  std::int64_t paced_bytes_ = 0;
  std::size_t lingered_ = 0;
  bool timed_out_ = false;
  bool reading_ = false;
  bool draining_ = false;
  std::array<char, 36> request_id_{};
  std::string request_id_of_exchange_;  ///< ours, or what a part of Ekiden gave it
  Taken taken_;
  std::optional<TraceContext> trace_;  ///< of the request that is being read, where it is known already
  std::optional<Headers> drawn_;       ///< likewise what was drawn on its budget
};

}  // namespace ekiden::http
