#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace ekiden::sql::postgres {

/// What the lane can do about a failure, beside telling the caller.
enum class Remedy : std::uint8_t {
  none,       ///< the answer is the answer
  again,      ///< a race was lost: the whole transaction may win it at another time
  reprepare,  ///< perhaps the schema has changed since the statement was prepared
  reconnect,  ///< the connection cannot be used any more, or not for this
};

struct Failure {
  Error error;
  Remedy remedy = Remedy::none;
};

/// What a SQLSTATE means. @param state five characters; empty where the connection broke without one
Failure to_failure(std::string_view state);

}  // namespace ekiden::sql::postgres
