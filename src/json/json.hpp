#pragma once

/// Everything that services need to read and write JSON; costs no Boost.JSON header.
#include "json/document.hpp"
#include "json/read.hpp"
#include "json/schema.hpp"
#include "json/types.hpp"
#include "json/write.hpp"
