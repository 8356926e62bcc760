//! Makes the stubs of the gRPC peer from a description in Rust: no compiler for protocol buffers is needed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::drive::grpc::Payload")
            .output_type("crate::drive::grpc::Payload")
            .codec_path("tonic_prost::ProstCodec")
    };
    let service = Service::builder()
        .name("Exchange")
        .package("axon.bench")
        .method(method("converse", "Converse").client_streaming().server_streaming().build())
        .method(method("pour", "Pour").server_streaming().build())
        .build();
    Builder::new().compile(&[service]);
}
