#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"

/// Conditional requests (RFC 9110 13) with strong entity tags only.
namespace ekiden::http {

/// `"v7"` of a row's version: what optimistic locking compares.
std::string etag_of_version(std::int64_t version);
/// A tag of the content itself: 128 bits of its SHA-256.
std::string etag_of_content(std::string_view content);

/// True where an If-None-Match value names `etag` or is `*`. Compared weakly, as the RFC asks of this field.
bool none_match_hits(std::string_view if_none_match, std::string_view etag);

/// Puts the ETag on `response`; a GET or HEAD that has this very version already gets 304 without a body.
Response with_etag(const Request& request, std::string etag, Response response);

/// The version that the caller's If-Match names; for editing under optimistic locking.
/// @errors precondition_required  there is no If-Match: nothing may change.
///         precondition_failed    it holds no tag that etag_of_version() made (also `*`, weak tags, lists).
Result<std::int64_t> if_match_version(const Request& request);

}  // namespace ekiden::http
