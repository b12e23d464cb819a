#pragma once

#include "cli/doctor/finding.hpp"

#include <portitor/kube/object.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

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

/// Whether a container is Traefik, by its image or by what it is started with. traefik/whoami is not.
bool is_traefik(const boost::json::object& container);

/// Judges what matters to the gate. `selling` are the namespaces that sell, where they are known.
void judge_traefik(
    const traefik_flags& of, const std::optional<std::set<std::string>>& selling, notebook& into
);

}  // namespace portitor::cli::doctor
