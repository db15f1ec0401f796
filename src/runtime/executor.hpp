#pragma once

/// The executors behind the concurrency models of `runtime/model.hpp`.
#include "runtime/loop_executor.hpp"
#include "runtime/worker_pool.hpp"
