#include "ports/sql/sql.hpp"

#include <future>
#include <utility>

namespace ekiden::sql {

Result<void> Database::transact(TxOptions options, TxBody body) {
  // The promise lives in the callback, so that the lane may still be inside it when the waiter has gone.
  std::promise<Result<void>> promise;
  std::future<Result<void>> outcome = promise.get_future();
  submit(options, std::move(body), [promise = std::move(promise)](Result<void> result) mutable {
    promise.set_value(std::move(result));
  });
  return outcome.get();
}

}  // namespace ekiden::sql
