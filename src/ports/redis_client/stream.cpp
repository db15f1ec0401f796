#include "ports/redis_client/stream.hpp"

#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace ekiden::redis {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<void> connect(tcp::socket& socket, Address address) {
  tcp::resolver resolver(socket.get_executor());
  const auto found =
      co_await resolver.async_resolve(address.host, std::to_string(address.port), asio::use_awaitable);
  co_await asio::async_connect(socket, found, asio::use_awaitable);
  socket.set_option(tcp::no_delay(true));
  socket.set_option(asio::socket_base::keep_alive(true));
}

void close_socket(tcp::socket& socket) noexcept {
  boost::system::error_code ignored;
  socket.close(ignored);
}

class PlainStream final : public Stream {
 public:
  PlainStream(asio::io_context& loop, Address address) : address_(std::move(address)), socket_(loop) {}

  asio::awaitable<void> open() override { return connect(socket_, address_); }
  asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) override {
    return socket_.async_read_some(into, asio::use_awaitable);
  }
  void write_all(asio::const_buffer bytes, Written written) override {
    asio::async_write(socket_, bytes,
                      [written = std::move(written)](const boost::system::error_code& fault,
                                                     std::size_t) mutable { written(fault); });
  }
  void close() noexcept override { close_socket(socket_); }

 private:
  const Address address_;
  tcp::socket socket_;
};

asio::ssl::context make_context(const std::string& ca_file) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_peer);
  if (ca_file.empty()) {
    context.set_default_verify_paths();
  } else {
    context.load_verify_file(ca_file);
  }
  return context;
}

class TlsStream final : public Stream {
 public:
  TlsStream(asio::io_context& loop, Address address, const std::string& ca_file)
      : address_(std::move(address)), context_(make_context(ca_file)), stream_(loop, context_) {
    stream_.set_verify_callback(asio::ssl::host_name_verification(address_.host));
    ::SSL_set_tlsext_host_name(stream_.native_handle(), address_.host.c_str());
  }

  asio::awaitable<void> open() override {
    co_await connect(stream_.next_layer(), address_);
    co_await stream_.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  }
  asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) override {
    return stream_.async_read_some(into, asio::use_awaitable);
  }
  void write_all(asio::const_buffer bytes, Written written) override {
    asio::async_write(stream_, bytes,
                      [written = std::move(written)](const boost::system::error_code& fault,
                                                     std::size_t) mutable { written(fault); });
  }
  void close() noexcept override { close_socket(stream_.next_layer()); }

 private:
  const Address address_;
  asio::ssl::context context_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::shared_ptr<Stream> make_stream(asio::io_context& loop, const Address& address,
                                    const std::string& ca_file) {
  if (address.tls) return std::make_shared<TlsStream>(loop, address, ca_file);
  return std::make_shared<PlainStream>(loop, address);
}

}  // namespace ekiden::redis
