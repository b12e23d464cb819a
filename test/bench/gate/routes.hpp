#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// A PaymentRoute as far as the baselines need it.
struct route
{
    std::string key;  ///< namespace/offer
    std::string prefix;
    std::string price;
    std::string network, v1_network;
    std::string asset, asset_name, asset_version;
    std::string pay_to;
    std::string description;
    std::string max_timeout_seconds;
    std::string facilitator;
};

/// One a line, the members above in that order, separated by tabs.
inline std::vector<route> read_routes(const char* path)
{
    std::ifstream file(path);
    std::vector<route> out;
    for (std::string line; std::getline(file, line);)
    {
        std::istringstream in(line);
        route one;
        for (std::string* into :
             {&one.key,
              &one.prefix,
              &one.price,
              &one.network,
              &one.v1_network,
              &one.asset,
              &one.asset_name,
              &one.asset_version,
              &one.pay_to,
              &one.description,
              &one.max_timeout_seconds,
              &one.facilitator})
        {
            if (!std::getline(in, *into, '\t'))
                throw std::runtime_error(std::string(path) + ": a line has too few fields");
        }
        out.push_back(std::move(one));
    }
    if (out.empty())
        throw std::runtime_error(std::string(path) + ": no routes");
    return out;
}

}  // namespace bench
