#pragma once

#include "cli/doctor/finding.hpp"

#include <portitor/kube/object.hpp>

#include <map>
#include <string>
#include <vector>

namespace portitor::cli::doctor {

/// What a Traefik was started with: names without dashes in lower case, such as "providers.kubernetescrd";
/// a switch without a value is "true". Traefik itself does not care about the case either.
struct traefik_flags
{
    std::map<std::string, std::string> values;
    std::string image;
    bool has_file = false;  ///< a file says more, which is not read here

    /// Whether this option or one below it is given, other than as "false".
    bool has(const std::string& name) const;
    std::string value(const std::string& name) const;
};

/// Reads the arguments and the environment of a container.
traefik_flags read_traefik(const boost::json::object& container);

/// Judges what matters to the gate. `selling` are the namespaces that sell.
void judge_traefik(const traefik_flags& of, const std::vector<std::string>& selling, notebook& into);

}  // namespace portitor::cli::doctor
