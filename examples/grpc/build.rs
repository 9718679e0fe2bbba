//! Makes client and server of the service in greeter.proto.

#![forbid(unsafe_code)]

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let method = |name, route, input, output| {
        let method = Method::builder().name(name).route_name(route);
        let method = method.input_type(input).output_type(output);
        method.codec_path("tonic_prost::ProstCodec")
    };
    let hello = method("say_hello", "SayHello", "super::Name", "super::Greeting");
    let count = method("count", "Count", "super::Limit", "super::Number");
    let service = Service::builder()
        .name("Greeter")
        .package("greeter")
        .method(hello.build())
        .method(count.server_streaming().build());
    let builder = Builder::new().build_transport(false);
    builder.compile(&[service.build()]);
}
