#pragma once

#include <string>

#include <boost/mp11/list.hpp>

#include "events/inventory.hpp"
#include "events/users.hpp"
#include "events/workouts.hpp"

namespace ekiden::events {

/// Every event that there is. A new topic adds its list here.
using AllEvents = boost::mp11::mp_append<UsersEvents, WorkoutsEvents, InventoryEvents>;

/// The AsyncAPI 3.0 document of all topics, as JSON.
std::string asyncapi();

}  // namespace ekiden::events
