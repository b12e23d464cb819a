#pragma once

// Debian 12 has Catch2 v2; newer systems have v3 under another name.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
