#pragma once

#include <boost/asio/awaitable.hpp>

namespace ekiden::runtime {

/// A coroutine. It starts when it is awaited or given to a TaskGroup, never by itself. Parameters go by
/// value, or as a reference to what outlives the service; no lock is held across a `co_await`.
template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace ekiden::runtime
