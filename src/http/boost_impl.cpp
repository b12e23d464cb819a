// The sources of Asio's TLS streams and of Beast, compiled once (BOOST_ASIO_SEPARATE_COMPILATION and its
// like).
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
