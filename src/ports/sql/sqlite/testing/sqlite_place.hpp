#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/testing/folder.hpp"
#include "base/testing/kept_lines.hpp"
#include "ports/sql/contract/sql_harness.hpp"
#include "ports/sql/sqlite/sqlite.hpp"

namespace ekiden::sql::testing {

using ekiden::testing::Folder;

/// A database file in a folder of its own; `adjust` changes the configuration before each opening.
class SqlitePlace final : public contract::Place {
 public:
  using Adjust = std::function<void(SqliteConfig&)>;
  explicit SqlitePlace(Adjust adjust = {}) : adjust_(std::move(adjust)) {}

  std::unique_ptr<Database> open(const contract::Opening& opening) override {
    SqliteConfig config;
    config.file = file();
    config.durable = false;
    config.queue_max = opening.queue_max;
    if (adjust_) adjust_(config);
    auto made = make_sqlite(std::move(config), *opening.clock, Logger(lines_, *opening.clock));
    if (!made) throw std::runtime_error(made.error().text());
    return std::move(*made);
  }

  std::filesystem::path file() const { return folder_.path() / "test.db"; }
  const ekiden::testing::KeptLines& lines() const { return lines_; }

 private:
  Folder folder_;
  ekiden::testing::KeptLines lines_;
  Adjust adjust_;
};

}  // namespace ekiden::sql::testing
