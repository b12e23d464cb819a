#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace portitor::sandbox {

/// What the API server answers: a code of HTTP and a document.
struct answer
{
    unsigned code = 200;
    boost::json::object body;

    bool good() const { return code < 300; }
};

/// A metav1.Status that refuses.
answer
refusal(unsigned code, std::string_view reason, const std::string& message, boost::json::array causes = {});

/// One of its causes.
boost::json::object cause(std::string_view reason, const std::string& message, const std::string& field = {});

/// 404 for what is no object's path: an unknown kind, a namespace where none belongs, or none where one does.
answer no_such_resource();

/// 410: the version has grown too old.
answer too_old(const std::string& message);

/// 504 with the cause that says so: nothing has that version yet.
answer too_large(const std::string& version);

}  // namespace portitor::sandbox
