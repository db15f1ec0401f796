#include "services/inventory/store/gear.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "services/inventory/store/in_list.hpp"

namespace ekiden::inventory {

namespace {

constexpr std::string_view kSelect =
    "SELECT gear_id, user_id, version, kind, component, name, brand, model, notes, price_minor, currency, "
    "bought_on, retired_on, start_distance_m, start_moving_ms, life_distance_m, life_moving_ms, "
    "alert_percents, told_percent, photo_hash, photo_type, distance_m, moving_ms, workout_count, created_at, "
    "changed_at FROM gear WHERE ";

constexpr std::string_view kInsert =
    "INSERT INTO gear (gear_id, version, component, name, brand, model, notes, price_minor, currency, "
    "bought_on, retired_on, start_distance_m, start_moving_ms, life_distance_m, life_moving_ms, "
    "alert_percents, told_percent, photo_hash, photo_type, distance_m, moving_ms, workout_count, changed_at, "
    "user_id, kind, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
    "$16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)";

constexpr std::string_view kUpdate =
    "UPDATE gear SET version = version + 1, component = $3, name = $4, brand = $5, model = $6, notes = $7, "
    "price_minor = $8, currency = $9, bought_on = $10, retired_on = $11, start_distance_m = $12, "
    "start_moving_ms = $13, life_distance_m = $14, life_moving_ms = $15, alert_percents = $16, "
    "told_percent = $17, photo_hash = $18, photo_type = $19, distance_m = $20, moving_ms = $21, "
    "workout_count = $22, changed_at = $23 WHERE gear_id = $1 AND version = $2";

std::string join_numbers(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) {
    if (!text.empty()) text += ' ';
    text += std::to_string(number);
  }
  return text;
}

std::vector<std::int64_t> split_numbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  const char* at = text.data();
  const char* const last = text.data() + text.size();
  while (at < last) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(at, last, number);
    if (error != std::errc{}) throw std::logic_error("a column of numbers holds something else");
    numbers.push_back(number);
    at = end < last ? end + 1 : end;
  }
  return numbers;
}

sql::Params changeable(const Gear& gear) {
  sql::Value photo;
  if (gear.photo) photo = sql::Blob{std::string(gear.photo->hash.as_view())};
  return {gear.gear_id,
          gear.version,
          gear.component,
          gear.name,
          gear.brand,
          gear.model,
          gear.notes,
          gear.price_minor,
          gear.currency,
          gear.bought_on,
          gear.retired_on,
          gear.start.distance_m,
          gear.start.moving_ms,
          gear.life.distance_m,
          gear.life.moving_ms,
          join_numbers(gear.life.alert_percents),
          gear.told_percent,
          std::move(photo),
          gear.photo ? gear.photo->type : std::string(),
          gear.use.distance_m,
          gear.use.moving_ms,
          gear.use.workouts,
          gear.changed_at};
}

Gear to_gear(const sql::Row& row) {
  Gear gear{.gear_id = row.id<GearId>(0),
            .user_id = row.id<UserId>(1),
            .version = row.integer(2),
            .kind = parse_kind(row.text(3)).value_or(Kind::other),
            .component = row.text(4),
            .name = row.text(5),
            .brand = row.text(6),
            .model = row.text(7),
            .notes = row.text(8),
            .price_minor = row.maybe_integer(9),
            .currency = row.text(10),
            .bought_on = row.maybe_text(11),
            .retired_on = row.maybe_text(12),
            .start = {.distance_m = row.integer(13), .moving_ms = row.integer(14)},
            .life = {.distance_m = row.maybe_integer(15),
                     .moving_ms = row.maybe_integer(16),
                     .alert_percents = split_numbers(row.text(17))},
            .told_percent = row.integer(18),
            .use = {.distance_m = row.integer(21), .moving_ms = row.integer(22), .workouts = row.integer(23)},
            .created_at = row.time(24),
            .changed_at = row.time(25)};
  if (!row.is_null(19)) gear.photo = Photo{.hash = hash_of(row.bytes(19)), .type = row.text(20)};
  return gear;
}

std::vector<Gear> to_gear(const sql::Rows& rows) {
  std::vector<Gear> all;
  all.reserve(rows.size());
  for (const sql::Row& row : rows) all.push_back(to_gear(row));
  return all;
}

}  // namespace

GearMetrics::GearMetrics(runtime::Metrics& metrics)
    : updates(metrics.counter("ekiden_gear_updates_total", "Updates of pieces of gear that became durable.")),
      lost_races(metrics.counter("ekiden_gear_lost_races_total",
                                 "Updates of gear that found it changed and read it again.")) {}

blobs::Hash hash_of(std::string_view bytes) {
  blobs::Hash hash;
  if (bytes.size() != hash.bytes.size()) throw std::logic_error("a blob's hash has 32 bytes");
  std::ranges::transform(bytes, hash.bytes.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return hash;
}

Result<void> insert_gear(sql::Tx& tx, const Gear& gear) {
  sql::Params params = changeable(gear);
  params.emplace_back(gear.user_id);
  params.emplace_back(to_string(gear.kind));
  params.emplace_back(gear.created_at);
  EKIDEN_CHECK(tx.execute(kInsert, std::move(params)));
  return {};
}

Result<std::optional<Gear>> find_gear(sql::Tx& tx, GearId gear_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query(std::string(kSelect) + "gear_id = $1", {gear_id}));
  if (rows.empty()) return std::optional<Gear>{};
  return std::optional{to_gear(rows.front())};
}

Result<std::vector<Gear>> find_gear(sql::Tx& tx, const std::vector<GearId>& gear_ids) {
  EKIDEN_TRY(const sql::Rows rows, select_in(tx, std::string(kSelect) + "gear_id", gear_ids));
  return to_gear(rows);
}

Result<void> update_gear(sql::Tx& tx, Gear& gear, const GearMetrics& metrics) {
  const Result<std::int64_t> changed = tx.execute(kUpdate, changeable(gear));
  const bool lost = changed ? *changed != 1 : changed.error().slug() == kRaceLost;
  if (lost) {
    metrics.lost_races.add();
    return Error{Errc::unavailable, std::string(kRaceLost), "somebody has changed this at the same moment"};
  }
  if (!changed) return changed.error();
  gear.version += 1;
  tx.after_commit([updates = metrics.updates] { updates.add(); });
  return {};
}

Result<void> delete_gear(sql::Tx& tx, const Gear& gear) {
  EKIDEN_TRY(const sql::Rows on_it,
             tx.query("SELECT 1 FROM mountings WHERE bike_id = $1 LIMIT 1", {gear.gear_id}));
  if (!on_it.empty()) {
    return Error{Errc::conflict, "has-mountings",
                 "parts are or were mounted on it, and their distance comes from it: retire it instead, or "
                 "remove those mountings first"};
  }
  for (const std::string_view statement :
       {"DELETE FROM mountings WHERE part_id = $1", "DELETE FROM default_gear WHERE gear_id = $1",
        "DELETE FROM ledger WHERE gear_id = $1"}) {
    EKIDEN_CHECK(tx.execute(statement, {gear.gear_id}));
  }
  EKIDEN_TRY(const std::int64_t gone, tx.execute("DELETE FROM gear WHERE gear_id = $1 AND version = $2",
                                                 {gear.gear_id, gear.version}));
  if (gone == 1) return {};
  return Error{Errc::unavailable, std::string(kRaceLost), "somebody has changed this at the same moment"};
}

Result<std::vector<Gear>> list_gear(sql::Tx& tx, UserId user_id, const GearFilter& filter,
                                    std::optional<GearId> after, std::int64_t limit) {
  std::string statement = std::string(kSelect) + "user_id = $1";
  sql::Params params{user_id};
  const auto add = [&](std::string_view condition, sql::Value value) {
    params.push_back(std::move(value));
    statement += condition;
    statement += "$" + std::to_string(params.size());
  };
  if (filter.kind) add(" AND kind = ", to_string(*filter.kind));
  if (filter.retired)
    statement += *filter.retired ? " AND retired_on IS NOT NULL" : " AND retired_on IS NULL";
  if (after) add(" AND gear_id < ", *after);
  add(" ORDER BY gear_id DESC LIMIT ", limit);
  EKIDEN_TRY(const sql::Rows rows, tx.query(statement, std::move(params)));
  return to_gear(rows);
}

Result<std::vector<Gear>> list_wearing(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(std::string(kSelect) + "user_id = $1 AND retired_on IS NULL AND (life_distance_m IS NOT "
                                      "NULL OR life_moving_ms IS NOT NULL)",
               {user_id}));
  return to_gear(rows);
}

Result<std::int64_t> count_gear(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT COUNT(*) FROM gear WHERE user_id = $1", {user_id}));
  return rows.at(0).integer(0);
}

Result<bool> is_photo_kept(sql::Tx& tx, const blobs::Hash& hash) {
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT 1 FROM gear WHERE photo_hash = $1 LIMIT 1",
                                            {sql::Blob{std::string(hash.as_view())}}));
  return !rows.empty();
}

Result<std::vector<Gear>> list_all_gear(sql::Tx& tx, GearId after, std::int64_t limit) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(std::string(kSelect) + "gear_id > $1 ORDER BY gear_id LIMIT $2", {after, limit}));
  return to_gear(rows);
}

}  // namespace ekiden::inventory
