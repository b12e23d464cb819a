#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

/// What reasons of the condition Registered mean for who tells of them.
namespace portitor::registrar {

/// Somebody has to do something about them.
inline constexpr std::array<std::string_view, 18> troubles{
    "Failed",
    "Reverted",
    "NotOwner",
    "IdentityTaken",
    "IdentityFixed",
    "LowBalance",
    "LimitReached",
    "IdentityNotAllowed",
    "FeesTooHigh",
    "NodeUnreachable",
    "WrongChain",
    "NoRegistry",
    "ForeignSchema",
    "KeyNotAllowed",
    "RegistryNotAllowed",
    "NonceTaken",
    "Refused",
    "TooLarge"};

/// They last until somebody has done something: who runs to an end does not wait for them.
inline constexpr std::array<std::string_view, 9> waits_for_somebody{
    "LowBalance",
    "LimitReached",
    "FeesTooHigh",
    "NodeUnreachable",
    "NoKey",
    "WrongChain",
    "NoRegistry",
    "Refused",
    "ForeignSchema"};

/// They come and go by the minute, and are told in the status alone.
inline constexpr std::array<std::string_view, 3> passing{"Pending", "WaitingForTurn", "Retiring"};

constexpr bool is_one_of(const auto& list, std::string_view reason)
{
    return std::ranges::find(list, reason) != list.end();
}

}  // namespace portitor::registrar
