#include "config/flags.hpp"

#include <portitor/config/suggestion.hpp>

#include <algorithm>

namespace portitor::config {

namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

class flag_reader
{
public:
    flag_reader(std::span<const known_option> known, int argc, const char* const* argv)
        : known_(known), spelled_(known.size())
    {
        for (int i = 1; i < argc; ++i)
            arguments_.emplace_back(argv[i]);
        out_.flags.resize(known.size());
    }

    result<command_line> read()
    {
        while (at_ < arguments_.size())
        {
            const std::string argument = arguments_[at_++];
            if (argument == "--")
            {
                out_.words.insert(
                    out_.words.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end()
                );
                break;
            }
            auto taken = take(argument);
            if (!taken)
                return taken.error();
        }
        return std::move(out_);
    }

private:
    result<void> take(const std::string& argument)
    {
        // A dash alone is standard input.
        if (argument.size() < 2 || argument[0] != '-')
        {
            out_.words.push_back(argument);
            return {};
        }
        if (argument == "--help" || argument == "-h" || argument == "--help=all")
        {
            out_.wants_help = true;
            if (argument == "--help=all")
                out_.shown = help_extent::all;
            return {};
        }
        if (argument == "--version")
        {
            out_.wants_version = true;
            return {};
        }
        if (argument[1] == '-')
        {
            const auto sign = argument.find('=');
            const std::string flag = argument.substr(0, sign);
            return take_flag(flag, sign == argument.npos ? nullptr : argument.data() + sign + 1);
        }
        const std::string flag = argument.substr(0, 2);
        const char* rest = argument.size() == 2 ? nullptr : argument.data() + (argument[2] == '=' ? 3 : 2);
        return take_flag(flag, rest);
    }

    result<void> take_flag(const std::string& flag, const char* value)
    {
        const std::size_t which = find(flag);
        if (which == none)
            return fail(errc::invalid, "{}: there is no such flag{}", flag, did_you_mean(flag, names()));
        const option& what = known_[which].what;
        std::optional<given>& place = out_.flags[which];
        if (place && !what.is_list)
        {
            const std::string& first = spelled_[which];
            if (first != flag)
                return fail(errc::invalid, "{} and {} are the same: give one of them", first, flag);
            return fail(errc::invalid, "{} is given twice", flag);
        }
        if (!value && !what.is_switch)
        {
            if (at_ == arguments_.size() || is_flag(arguments_[at_]))
                return fail(errc::invalid, "{} needs a value", flag);
            value = arguments_[at_++].c_str();
        }
        spelled_[which] = flag;
        if (!place)
            place = given{{}, flag};
        place->texts.emplace_back(value ? value : "true");
        return {};
    }

    /// Whether the next word cannot be a value that somebody forgot.
    bool is_flag(const std::string& argument) const
    {
        return argument == "--help" || find(argument.substr(0, argument.find('='))) != none;
    }

    std::size_t find(std::string_view flag) const
    {
        for (std::size_t i = 0; i < known_.size(); ++i)
        {
            const option& what = known_[i].what;
            if (flag.size() == 2 && flag[0] == '-' && flag[1] == what.letter && !known_[i].hidden)
                return i;
            if (!flag.starts_with("--"))
                continue;
            const std::string_view name = flag.substr(2);
            if (name == what.name ||
                std::find(what.aliases.begin(), what.aliases.end(), name) != what.aliases.end())
                return i;
        }
        return none;
    }

    /// What may be suggested.
    std::vector<std::string> names() const
    {
        std::vector<std::string> out{"--help", "--version"};
        for (const known_option& each : known_)
        {
            if (!is_listed(each))
                continue;
            out.push_back("--" + each.what.name);
            for (const std::string& alias : each.what.aliases)
                out.push_back("--" + alias);
        }
        return out;
    }

    std::span<const known_option> known_;
    std::vector<std::string> arguments_;
    std::size_t at_ = 0;
    std::vector<std::string> spelled_;  ///< by option: the flag as it was given
    command_line out_;
};

}  // namespace

result<command_line> read_flags(std::span<const known_option> known, int argc, const char* const* argv)
{
    return flag_reader(known, argc, argv).read();
}

}  // namespace portitor::config
