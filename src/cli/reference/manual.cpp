#include "cli/reference/manual.hpp"

#include <portitor/config/help.hpp>
#include <portitor/core/build_facts.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace portitor::cli {

namespace {

/// A text as roff takes it: backslashes and hyphens mean themselves, and so does the start of a line.
std::string roff(std::string_view text)
{
    std::string out;
    for (const char c : text)
    {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
    }
    if (!out.empty() && (out[0] == '.' || out[0] == '\''))
        out.insert(0, "\\&");
    return out;
}

/// In lines that an editor shows whole.
std::string folded(std::string_view text)
{
    constexpr std::size_t width = 72;
    std::string out;
    while (text.size() > width)
    {
        std::size_t end = text.rfind(' ', width);
        if (end == text.npos)
            end = text.find(' ');
        if (end == text.npos)
            break;
        out += roff(text.substr(0, end)) + '\n';
        text.remove_prefix(end + 1);
    }
    return out + roff(text);
}

std::string paragraph(std::string_view text)
{
    return fmt::format(".PP\n{}\n", folded(text));
}

std::string item(const std::string& what, std::string_view text)
{
    return fmt::format(".TP\n{}\n{}\n", what, folded(text));
}

std::string bold(std::string_view text)
{
    return "\\fB" + roff(text) + "\\fR";
}

std::string of_option(const config::option& what)
{
    std::string names = what.letter ? bold(fmt::format("-{}", what.letter)) + ", " : "";
    names += bold("--" + what.name);
    for (const std::string& alias : what.aliases)
        names += ", " + bold("--" + alias);
    if (const std::string value = config::placeholder_of(what); !value.empty())
        names += " \\fI" + roff(value) + "\\fR";
    return item(names, config::help_of(what));
}

/// What every command has is told once.
bool is_common(const config::option& what)
{
    constexpr std::array<std::string_view, 4> common{"config", "log-level", "log-format", "color"};
    return what.heading == "Kubernetes" || std::find(common.begin(), common.end(), what.name) != common.end();
}

/// Those of the program that every command has, or the others.
std::string options_of_program(const declared& program, bool common)
{
    std::string out;
    for (const config::known_option& each : program.settings->options())
    {
        if (!each.hidden && is_common(each.what) == common)
            out += of_option(each.what);
    }
    return out;
}

/// A command's words and its own options, and which of the program's it has besides.
std::string options_of_command(const declared& where)
{
    std::string out;
    std::string others;
    for (const config::word& each : where.settings->words())
        out += item("\\fI" + roff(each.name) + "\\fR", each.help);
    for (const config::known_option& each : where.settings->options())
    {
        if (!config::is_listed(each) || is_common(each.what))
            continue;
        if (each.what.is_shared)
            others += (others.empty() ? "--" : ", --") + each.what.name;
        else
            out += of_option(each.what);
    }
    return others.empty() ? out : out + paragraph("Options of roles that it has, too: " + others + ".");
}

std::string commands(std::span<const declared> all)
{
    std::string out = ".SH COMMANDS\n";
    for (const declared& each : all.subspan(1))
    {
        out += fmt::format(".SS {}\n{}.\n", roff("portitor " + each.words), folded(each.summary));
        if (each.settings)
            out += paragraph(config::usage_line(*each.settings)) + options_of_command(each);
    }
    return out;
}

std::string examples(std::span<const declared> all)
{
    std::string out;
    for (const declared& each : all)
    {
        for (const config::example& one : each.examples)
            out += item(bold(one.command), one.what);
    }
    return out.empty() ? out : ".SH EXAMPLES\n" + out;
}

constexpr const char* synopsis = R"(.SH SYNOPSIS
.nf
\fBportitor\fR \fICOMMAND\fR [\fISUBCOMMAND\fR] [\fIWORDS\fR] [\fIOPTIONS\fR]
\fBportitor \-\-role=\fR\fIROLE\fR [\fIOPTIONS\fR]
\fBkubectl portitor\fR \fICOMMAND\fR ...
.fi
)";

constexpr const char* surroundings = R"(.SH ENVIRONMENT
.TP
\fBPORTITOR_\fR\fINAME\fR
The option of that name, in capitals and with underscores: PORTITOR_LOG_LEVEL is \-\-log\-level.
The command line goes before the environment, and that before the file of \-\-config.
A list has one value a line, or is a list in YAML.
A consent, such as \-\-yes or \-\-allow\-mainnet, counts only where it is typed: neither here nor in the file.
.TP
\fBKUBECONFIG\fR
Where commands look for the cluster without \-\-kubeconfig; roles do not.
.TP
\fBNO_COLOR\fR, \fBTERM\fR
No colours where the first is set, or the second is "dumb"; see \-\-color.
.SH FILES
.TP
\fI~/.kube/config\fR
Where commands look without \-\-kubeconfig and KUBECONFIG.
.TP
\fI/var/run/secrets/kubernetes.io/serviceaccount\fR
The service account of the pod: what roles use without \-\-kubeconfig.
.SH EXIT STATUS
.TP
\fB0\fR
Done.
.TP
\fB1\fR
It failed; one line on standard error says why.
Or what was asked about is not well, as the output says: \fBsell status\fR of an offer that is not Ready,
\fBsell test\fR of an answer that is not good, \fBexplain\fR of a request that no offer judges,
\fBdoctor\fR with a failure (with \-\-strict a warning, too).
.TP
\fB2\fR
The command line or the settings were refused: an unknown flag, a bad or a missing value.
\fBportitor once\fR ends so where it would change something, and with 1 for every error.
.TP
\fB141\fR
Whoever read the output has closed it (SIGPIPE).
)";

}  // namespace

std::string manual_page(std::span<const declared> all)
{
    const declared& program = all.front();
    std::string out = fmt::format(
        ".TH PORTITOR 1 \"\" \"portitor {}\" \"User Commands\"\n"
        ".SH NAME\nportitor \\- {}\n",
        facts_of_build().version,
        roff(program.summary)
    );
    out += synopsis;
    out +=
        ".SH DESCRIPTION\n" +
        folded(
            "Portitor sells HTTP services that run in Kubernetes for x402 payments. As a role it is one of "
            "the processes of an installation; its commands are for the people who sell with it and who "
            "run it."
        ) +
        '\n';
    out += commands(all);
    out += ".SH OPTIONS OF ALL COMMANDS\n" +
           item(
               bold("-h") + ", " + bold("--help"),
               "Shows what a command takes; --help=all explains what many have, too."
           ) +
           item(bold("--version"), "Shows the version and how it was built.") +
           options_of_program(program, true);
    out += ".SH OPTIONS OF ROLES\n" + options_of_program(program, false);
    return out + surroundings + examples(all);
}

}  // namespace portitor::cli
