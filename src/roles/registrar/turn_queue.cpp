#include "roles/registrar/turn_queue.hpp"

namespace portitor::registrar {

using kube::object_key;

bool turn_queue::take(const object_key& who)
{
    if (holders_.contains(who))
        return true;
    if (turn_ != who && tickets_.emplace(who, last_ticket_ + 1).second)
        lines_[who.ns].emplace(++last_ticket_, who.name);
    give_turn();
    return effective_turn() == who;
}

void turn_queue::hold(const object_key& who)
{
    holders_.insert(who);
    leave_line(who);
    if (turn_ == who)
        turn_.reset();
}

std::optional<object_key> turn_queue::leave(const object_key& who)
{
    const auto before = effective_turn();
    holders_.erase(who);
    leave_line(who);
    if (turn_ == who)
        turn_.reset();
    give_turn();
    auto after = effective_turn();
    return after == before ? std::nullopt : after;
}

std::size_t turn_queue::waiting() const
{
    return tickets_.size() + (turn_ && !holders_.empty() ? 1 : 0);
}

std::optional<object_key> turn_queue::effective_turn() const
{
    return holders_.empty() ? turn_ : std::nullopt;
}

// To the first in the line of the namespace after the one that was served last.
void turn_queue::give_turn()
{
    if (turn_ || !holders_.empty() || lines_.empty())
        return;
    auto next = served_last_ ? lines_.upper_bound(*served_last_) : lines_.begin();
    if (next == lines_.end())
        next = lines_.begin();
    served_last_ = next->first;
    turn_ = object_key{next->first, next->second.begin()->second};
    leave_line(object_key(*turn_));
}

void turn_queue::leave_line(const object_key& who)
{
    const auto ticket = tickets_.find(who);
    if (ticket == tickets_.end())
        return;
    const auto line = lines_.find(who.ns);
    line->second.erase(ticket->second);
    if (line->second.empty())
        lines_.erase(line);
    tickets_.erase(ticket);
}

}  // namespace portitor::registrar
