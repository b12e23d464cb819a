#pragma once

#include <string>
#include <string_view>

namespace portitor::kube {

/// Whether there is a PEM block and the last one is whole: that of a file that is just being written is not.
bool is_pem(std::string_view text);

/// False only where both can be read and the key is another certificate's, as when one of two files has been
/// replaced and the other not yet. What cannot be read is left for the TLS client to refuse.
bool may_belong_together(const std::string& certificate, const std::string& private_key);

/// The PEM text in a kubeconfig's `-data` field, which may be wrapped and lack its padding; empty where
/// there is none.
std::string pem_from_base64(std::string_view text);

std::string to_base64(std::string_view bytes);

/// Whether a text can stand in an Authorization header: not empty, and printable without white space.
bool is_bearer_token(std::string_view text);

}  // namespace portitor::kube
