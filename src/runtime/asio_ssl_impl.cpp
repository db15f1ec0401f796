// Apart from asio_impl.cpp, so that programs without TLS do not need OpenSSL.
#include <boost/asio/ssl/impl/src.hpp>
