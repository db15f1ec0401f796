#pragma once

#include <vector>

#include "services/service_spec.hpp"

namespace ekiden::user {

/// What goes by itself: sessions that ended a month ago, reset tokens and invitations that are long too old,
/// counts of wrong passwords that nobody has added to for days.
std::vector<services::Sweep> sweeps();

}  // namespace ekiden::user
