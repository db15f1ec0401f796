#pragma once

#include <string>

#include "http/cursor.hpp"
#include "http/etag.hpp"
#include "http/message.hpp"
#include "ports/blobs/blobs.hpp"
#include "runtime/job_queue.hpp"
#include "runtime/worker_pool.hpp"
#include "services/inventory/config.hpp"
#include "services/inventory/settling.hpp"

namespace ekiden::inventory {

/// What the interface's handlers work with; everything outlives them.
struct ApiParts {
  sql::Database& db;
  blobs::Blobs& blobs;
  runtime::WorkerPool& disk;
  const Settler& settler;
  const runtime::JobQueue& jobs;
  const http::CursorSealer& cursors;
  const Clock& clock;
  Ids& ids;
  InventoryConfig config;
};

/// For things that are never edited blindly.
/// @errors precondition_required: there is no If-Match; precondition_failed: it names another version than
/// `version`.
inline Result<void> require_if_match(const http::Request& request, std::int64_t version) {
  EKIDEN_TRY(const std::int64_t seen, http::if_match_version(request));
  if (seen == version) return {};
  return Error{Errc::precondition_failed, "version-mismatch",
               "this has changed since you read it: read it again", "If-Match"};
}

/// The caller's own piece. @errors not_found: there is none of this id, or it is somebody else's.
Result<Gear> own_gear(sql::Tx& tx, std::string_view id, UserId owner);

/// @errors unauthenticated: the account has been deleted, though its token is still good.
Result<void> check_account(sql::Tx& tx, UserId user_id);

}  // namespace ekiden::inventory
