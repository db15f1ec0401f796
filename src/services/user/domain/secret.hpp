#pragma once

#include <string>
#include <string_view>

#include "base/random.hpp"
#include "ports/sql/value.hpp"

namespace ekiden::user {

/// A secret that only its holder knows: 256 random bits behind a prefix that says what it is for (`ekr_`,
/// `eka_`).
std::string make_secret(Random& random, std::string_view prefix);

/// What is stored of a secret. It has 256 bits of its own, so a plain hash (BLAKE2b) cannot be guessed back.
sql::Blob hash_secret(std::string_view secret);

/// A hash under which an address can be looked up without storing it.
sql::Blob hash_email(std::string_view email);

}  // namespace ekiden::user
