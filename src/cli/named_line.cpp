#include "cli/named_line.hpp"

#include "cli/reference/declared.hpp"
#include "roles/named.hpp"

#include <set>

namespace portitor::cli {

namespace {

/// The flags of all roles and commands.
class flag_table
{
public:
    explicit flag_table(std::span<const command> commands)
    {
        for (const declared& place : all_declared(commands))
        {
            for (const flag& each : flags_of(place))
                (each.what->is_switch ? switches_ : valued_).insert(each.text);
        }
        switches_.insert({"-h", "--help", "--version"});
    }

    /// `flag` is without its value.
    bool knows(const std::string& flag) const { return valued_.contains(flag) || switches_.contains(flag); }
    bool may_take_value(const std::string& flag) const { return valued_.contains(flag); }
    bool may_be_switch(const std::string& flag) const { return switches_.contains(flag); }

private:
    std::set<std::string> valued_;
    std::set<std::string> switches_;  ///< a letter may be both, in two commands
};

class reader
{
public:
    reader(std::span<const command> commands, int argc, const char* const* argv)
        : commands_(commands), known_(commands), arguments_(argv, static_cast<std::size_t>(argc))
    {
        out_.rest.push_back(argc > 0 ? argv[0] : "portitor");
    }

    named_line read()
    {
        bool is_help = false;
        while (at_ < arguments_.size() && !out_.is_complete() && out_.stranger.empty())
        {
            const std::string_view word = arguments_[at_];
            if (word == "--")
                break;
            if (word.size() > 1 && word[0] == '-')
                take_flag(std::string(word));
            else if (!out_.role.empty())
                break;
            else if (word == "help" && out_.path.empty() && !is_help)
                is_help = true;
            else if (const command* next = roles::find_named(known_, word))
            {
                out_.path.push_back(next);
                known_ = next->subcommands;
            }
            else
            {
                out_.stranger = word;
                break;
            }
            ++at_;
        }
        for (; at_ < arguments_.size(); ++at_)
            out_.rest.push_back(arguments_[at_]);
        if (is_help)
            out_.rest.push_back("--help");
        out_.wants_help |= is_help;
        return std::move(out_);
    }

private:
    void take_flag(const std::string& word)
    {
        if (!flags_)
            flags_ = std::make_unique<flag_table>(commands_);
        out_.rest.push_back(arguments_[at_]);
        const bool is_long = word.starts_with("--");
        const std::string flag = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
        out_.wants_help |= flag == "--help" || flag == "-h";
        if (out_.unknown_flag.empty() && !flags_->knows(flag))
            out_.unknown_flag = flag;
        std::string_view value = std::string_view(word).substr(flag.size());
        if (value.empty() && at_ + 1 < arguments_.size() && is_value(flag, arguments_[at_ + 1]))
        {
            value = arguments_[++at_];
            out_.rest.push_back(arguments_[at_]);
        }
        else if (value.starts_with('='))
            value.remove_prefix(1);
        if (flag == "--role" && out_.path.empty())
            out_.role = value;
    }

    /// A letter that is a switch of some command and not of another leaves a command's name alone.
    bool is_value(const std::string& flag, std::string_view next) const
    {
        return flags_->may_take_value(flag) &&
               !(flags_->may_be_switch(flag) && roles::find_named(known_, next));
    }

    const std::span<const command> commands_;
    std::span<const command> known_;  ///< of which the next word is one
    const std::span<const char* const> arguments_;
    std::size_t at_ = 1;
    std::unique_ptr<flag_table> flags_;  ///< made for the first flag
    named_line out_;
};

}  // namespace

named_line read_words(std::span<const command> commands, int argc, const char* const* argv)
{
    return reader(commands, argc, argv).read();
}

}  // namespace portitor::cli
