#pragma once

#include "ports/redis_client/command.hpp"

/// What runs inside Redis. The keys, each behind the configured prefix:
///
///   ready     "RUN GEN": generation GEN is whole, and was last known so by the server of run id RUN
///   shown     GEN: the generation that reads show
///   build     GEN of a rebuild that runs; expires with its lease
///   gens      set of the generations that may have keys
///   done:MMM  set of applied event ids of one minute; expires
///   names:GEN the boards' names, a sorted set ordered by name
///   b:GEN:X   board X, a sorted set (encoding.hpp)
///   m:GEN:X   board X, a hash from member to where it stands
///
/// Every script takes the prefix first and answers an array that begins with `ready` (nil where it is absent)
/// and whether a rebuild runs, where not said otherwise. No script fails after its first write.
namespace ekiden::ranking {

struct Scripts {
  const redis::Script look;
  const redis::Script apply;  ///< …, then `OK`, `KNOWN` and indexes, `RANGE`, or `NOT`
  // Reads.
  const redis::Script rank;         ///< …, rank from 0, hash value
  const redis::Script range;        ///< …, elements and scores
  const redis::Script range_after;  ///< …, first index, elements and scores
  const redis::Script around;       ///< …, first index, elements and scores
  const redis::Script size;         ///< …, members
  const redis::Script boards;       ///< …, names
  // Steps of a rebuild. All but `begin` answer 1, or 0 where the right to rebuild was lost.
  const redis::Script begin;  ///< 1 and the generations there were; or 0 where another rebuild runs
  const redis::Script clear;
  const redis::Script put;
  const redis::Script mark;
  const redis::Script end;
  const redis::Script abandon;
  const redis::Script drop;  ///< deletes some of a generation; answers how many boards are left
};

const Scripts& scripts();

}  // namespace ekiden::ranking
