#include "events/catalog.hpp"

#include <map>
#include <vector>

#include "events/codec.hpp"

namespace ekiden::events {
namespace {

/// What the document says of one event.
struct Entry {
  std::string topic;
  std::string type;
  std::string about;
  std::string schema;
};

/// Readers pass over fields that they do not know, so the published schema allows them.
std::string open_schema(std::string schema) {
  constexpr std::string_view kClosed = R"("additionalProperties":false)";
  for (std::size_t at = schema.find(kClosed); at != std::string::npos; at = schema.find(kClosed, at))
    schema.replace(at, kClosed.size(), R"("additionalProperties":true)");
  return schema;
}

std::vector<Entry> entries() {
  std::vector<Entry> all;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, AllEvents>>(
      [&](auto identity) {
        using T = typename decltype(identity)::type;
        static_assert(Event<T>);
        all.push_back({std::string(T::kTopic), std::string(T::kType), std::string(T::kAbout),
                       open_schema(json::schema_of<T>())});
      });
  return all;
}

constexpr std::string_view kHeaders =
    R"({"type":"object","required":["ce_specversion","ce_id","ce_source","ce_type","ce_subject","ce_time",)"
    R"("ce_partitionkey","content-type"],"properties":{"ce_specversion":{"const":"1.0"},)"
    R"("ce_id":{"type":"string","format":"uuid"},"ce_source":{"type":"string"},"ce_type":{"type":"string"},)"
    R"("ce_subject":{"type":"string"},"ce_time":{"type":"string","format":"date-time"},)"
    R"("ce_partitionkey":{"type":"string"},"ce_traceparent":{"type":"string"},)"
    R"("ce_schema":{"type":"string","pattern":"^[0-9]+$"},"ce_sequence":{"type":"string","pattern":"^[0-9]+$"},)"
    R"("content-type":{"const":"application/json"}}})";

std::string channels(const std::map<std::string, std::vector<const Entry*>>& topics) {
  std::string out = "{";
  for (const auto& [topic, events] : topics) {
    if (out.size() > 1) out += ",";
    out += "\"" + topic + R"(":{"address":")" + topic + R"(","messages":{)";
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (i > 0) out += ",";
      out += "\"" + events[i]->type + R"(":{"$ref":"#/components/messages/)" + events[i]->type + "\"}";
    }
    out += "}}";
  }
  return out + "}";
}

std::string operations(const std::map<std::string, std::vector<const Entry*>>& topics) {
  std::string out = "{";
  for (const auto& [topic, events] : topics) {
    if (out.size() > 1) out += ",";
    out += "\"publish_" + topic + R"(":{"action":"send","channel":{"$ref":"#/channels/)" + topic + "\"}}";
  }
  return out + "}";
}

std::string messages(const std::vector<Entry>& all) {
  std::string out = "{";
  for (const Entry& entry : all) {
    if (out.size() > 1) out += ",";
    out += "\"" + entry.type + R"(":{"name":")" + entry.type + R"(","summary":)";
    append_json_string(out, entry.about);
    out +=
        R"(,"contentType":"application/json","headers":{"$ref":"#/components/schemas/headers"},"payload":)";
    out += entry.schema + "}";
  }
  return out + "}";
}

}  // namespace

std::string asyncapi() {
  const std::vector<Entry> all = entries();
  std::map<std::string, std::vector<const Entry*>> topics;
  for (const Entry& entry : all) topics[entry.topic].push_back(&entry);
  std::string out = R"({"asyncapi":"3.0.0","info":{"title":"Ekiden events","version":"1.0.0","description":)";
  append_json_string(
      out,
      "CloudEvents 1.0 in binary mode. The record's key is ce_partitionkey: events of one key "
      "are in order. Delivered at least once; ce_id tells copies apart. Fields are added, never "
      "repurposed: pass over those that you do not know.");
  out += R"(},"defaultContentType":"application/json","channels":)" + channels(topics);
  out += R"(,"operations":)" + operations(topics);
  out += R"(,"components":{"schemas":{"headers":)" + std::string(kHeaders) + R"(},"messages":)";
  return out + messages(all) + "}}";
}

}  // namespace ekiden::events
