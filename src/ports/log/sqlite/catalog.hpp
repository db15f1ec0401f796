#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ports/log/log.hpp"

namespace ekiden::log::sqlite {

/// A partition's number in the tables; never reused.
using PartitionId = std::int64_t;

struct CatalogTopic {
  std::int64_t id = 0;
  TopicConfig config;
  std::vector<PartitionId> partitions;  ///< by number
};

/// The topics as they were read last. Never changed once it is shared.
struct Catalog {
  std::map<std::string, CatalogTopic, std::less<>> topics;
  std::map<PartitionId, TopicPartition> names;

  const CatalogTopic* topic(std::string_view name) const {
    const auto found = topics.find(name);
    return found == topics.end() ? nullptr : &found->second;
  }
  /// 0 where there is no such partition.
  PartitionId partition(const TopicPartition& at) const {
    const CatalogTopic* found = topic(at.topic);
    if (found == nullptr || at.partition < 0) return 0;
    const auto number = static_cast<std::size_t>(at.partition);
    return number < found->partitions.size() ? found->partitions[number] : 0;
  }
};
using CatalogPtr = std::shared_ptr<const Catalog>;

}  // namespace ekiden::log::sqlite
