#include "runtime/block_on.hpp"

#include <future>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>

namespace ekiden::runtime::detail {

void run_and_wait(LoopExecutor& loops, Task<> task) {
  if (loops.is_own_thread()) throw std::logic_error("a loop must not wait for itself");
  const auto ended = std::make_shared<std::promise<void>>();
  std::future<void> end = ended->get_future();
  boost::asio::co_spawn(loops.executor(0), std::move(task), [ended](const std::exception_ptr& failure) {
    if (failure) {
      ended->set_exception(failure);
    } else {
      ended->set_value();
    }
  });
  end.get();
}

}  // namespace ekiden::runtime::detail
