#pragma once

#include <portitor/http/masked_url.hpp>

#include <boost/json/value.hpp>

namespace portitor::cli {

using http::masked_url;
using http::masked_urls;

/// A value with all URLs in its texts as they may be shown.
boost::json::value masked(boost::json::value value);

}  // namespace portitor::cli
