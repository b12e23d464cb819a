#pragma once

#include <string>
#include <string_view>

/// What people wrote, as strangers may be shown it. Pure.
namespace portitor::offer {

/// Text in one line, without the characters that hide or turn around what stands there, and without bytes
/// that are no UTF-8.
std::string shown_text(std::string_view text);

/// The same, and not more than so many bytes of it.
std::string shown_text(std::string_view text, std::size_t most);

/// An address of a service or an image, or a name such as "agent.eth": whole, or empty where its scheme is
/// not one that addresses of services have, or where it holds what no address does.
std::string shown_address(std::string_view address);

/// The image of an agent: an address, or a small picture itself ("data:image/…").
std::string shown_image(std::string_view address);

}  // namespace portitor::offer
