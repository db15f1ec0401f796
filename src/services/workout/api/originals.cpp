#include "services/workout/api/originals.hpp"

#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"

namespace ekiden::workout {

namespace {

Error no_file() {
  return {Errc::not_found, "not-found", "this workout has no file"};
}

}  // namespace

runtime::Task<Result<Originals::Loaded>> Originals::load(Workout workout, Deadline deadline) {
  if (!workout.origin) co_return no_file();
  auto find = [origin = *workout.origin](sql::Tx& tx) { return find_original(tx, origin); };
  EKIDEN_CO_TRY(auto original, co_await runtime::read(db_, find, deadline));
  if (!original) co_return no_file();
  auto open = [this, hash = original->blob_hash] { return blobs_.open(hash, blob_bytes_max_); };
  EKIDEN_CO_TRY(std::shared_ptr<const blobs::Content> blob, co_await runtime::offload(disk_, open));
  co_return Loaded{.original = *std::move(original), .blob = std::move(blob)};
}

runtime::Task<Result<Originals::File>> Originals::read(Workout workout, Deadline deadline) {
  EKIDEN_CO_TRY(const Loaded loaded, co_await load(std::move(workout), deadline));
  if (!loaded.original.entry)
    co_return File{.name = loaded.original.name, .blob = loaded.blob, .entry = {}, .is_entry = false};
  auto unpack = [this, blob = loaded.blob, entry = *loaded.original.entry] {
    return read_entry(blob->bytes(), entry, limits_);
  };
  EKIDEN_CO_TRY(std::string bytes, co_await runtime::offload(cpu_, unpack));
  co_return File{.name = loaded.original.name, .blob = {}, .entry = std::move(bytes), .is_entry = true};
}

runtime::Task<Result<Prepared>> Originals::recompute(Workout workout, Person person, Timestamp now,
                                                     Deadline deadline) {
  EKIDEN_CO_TRY(const Loaded loaded, co_await load(workout, deadline));
  auto compute = [this, loaded, workout = std::move(workout), person = std::move(person),
                  now]() -> Result<Prepared> {
    EKIDEN_TRY(ReadFile file,
               read_file(loaded.blob->bytes(), loaded.original.blob_hash, loaded.original.entry, limits_));
    const auto index = static_cast<std::size_t>(workout.origin->activity_index);
    if (index >= file.activities.size())
      return Error{Errc::internal, "file-changed", "the file has fewer activities than before"};
    return remake_workout(workout, std::move(file.activities[index]),
                          {.wishes = {}, .person = person, .now = now});
  };
  co_return co_await runtime::offload(cpu_, std::move(compute));
}

}  // namespace ekiden::workout
