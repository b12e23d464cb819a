#pragma once

#include "cli/yaml.hpp"

#include <boost/json/object.hpp>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace portitor::cli {

/// Makes JSON of what yaml-cpp's parser reports. It throws YAML::ParserException where a document cannot go
/// on; keys that come twice it only notes.
class yaml_builder final : public YAML::EventHandler
{
public:
    /// @param allowance how much more anchors and aliases may make of the text, in bytes and values
    yaml_builder(plain_scalars how, std::size_t allowance) : how_(how), allowance_(allowance) {}

    boost::json::value take() { return std::move(root_); }

    /// A mistake, and where.
    struct mistake
    {
        YAML::Mark where;
        std::string what;
    };
    /// Those since the last call, a few more than most_mistakes at most.
    std::vector<mistake> take_mistakes() { return std::exchange(mistakes_, {}); }

    void OnDocumentStart(const YAML::Mark& where) override;
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& where, YAML::anchor_t anchor) override;
    void OnAlias(const YAML::Mark& where, YAML::anchor_t anchor) override;
    void OnScalar(
        const YAML::Mark& where, const std::string& tag, YAML::anchor_t anchor, const std::string& text
    ) override;
    void OnSequenceStart(
        const YAML::Mark& where, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value
    ) override;
    void OnSequenceEnd() override { close(); }
    void OnMapStart(
        const YAML::Mark& where, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value
    ) override;
    void OnMapEnd() override { close(); }

private:
    struct item
    {
        boost::json::value value;
        std::size_t weight = 1;  ///< values and bytes of text
    };

    /// A list or mapping that is being read.
    struct level
    {
        item what;
        YAML::Mark where;
        YAML::anchor_t anchor;
        std::optional<std::string> key{};  ///< whose value comes next
        bool merges = false;               ///< the value of "<<" comes next
        std::set<std::string> merged{};    ///< keys that came by "<<", and may be written once more
    };

    bool wants_key() const;
    void open(boost::json::value empty, const YAML::Mark& where, YAML::anchor_t anchor);
    void close();
    void add(item what, const YAML::Mark& where, YAML::anchor_t anchor);
    void take_key(const boost::json::value& value, std::size_t weight, const YAML::Mark& where);
    void merge(level& into, boost::json::value from, const YAML::Mark& where);
    void spend(std::size_t weight, const YAML::Mark& where);

    const plain_scalars how_;
    std::size_t allowance_;
    boost::json::value root_;
    std::vector<level> open_;
    std::map<YAML::anchor_t, item> anchors_;
    std::vector<mistake> mistakes_;
};

}  // namespace portitor::cli
