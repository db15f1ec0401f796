#include "services/user/service.hpp"
