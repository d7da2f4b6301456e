//! A sink on tonic: takes OTLP/gRPC and appends what it read to files.
//!
//!     sink FOLDER
//!
//! Prints `listening PORT` once it does. A request with metadata `x-case: NAME` goes into `FOLDER/NAME.SIGNAL.bin`, as
//! prost writes it again, behind its length in four bytes, big-endian; its encoding into `FOLDER/NAME.SIGNAL.encoding`.
use std::fs::OpenOptions;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::transport::server::TcpIncoming;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

#[derive(Clone)]
struct Sink {
    folder: Arc<Mutex<PathBuf>>,
}

impl Sink {
    fn keep<M: Message>(&self, signal: &str, request: Request<M>) -> Result<(), Status> {
        let text = |key: &str| {
            let value = request.metadata().get(key).and_then(|value| value.to_str().ok());
            value.unwrap_or("none").to_owned()
        };
        let (case, encoding) = (text("x-case"), text("grpc-encoding"));
        let message = request.into_inner();
        let mut record = (message.encoded_len() as u32).to_be_bytes().to_vec();
        message.encode(&mut record).map_err(|error| Status::internal(error.to_string()))?;
        let folder = self.folder.lock().unwrap();
        let write = |ending: &str, bytes: &[u8]| {
            let path = folder.join(format!("{case}.{signal}.{ending}"));
            OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
        };
        write("encoding", format!("{encoding}\n").as_bytes())
            .and_then(|()| write("bin", &record))
            .map_err(|error| Status::unavailable(error.to_string()))
    }
}

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep("traces", request).map(|()| Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Sink {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.keep("metrics", request).map(|()| Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Sink {
    async fn export(&self, request: Request<ExportLogsServiceRequest>) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.keep("logs", request).map(|()| Response::new(Default::default()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: sink FOLDER")?;
    let sink = Sink { folder: Arc::new(Mutex::new(folder.into())) };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening {}", listener.local_addr()?.port());
    let (gzip, zstd, deflate) = (CompressionEncoding::Gzip, CompressionEncoding::Zstd, CompressionEncoding::Deflate);
    macro_rules! service {
        ($server:ident) => {
            $server::new(sink.clone())
                .accept_compressed(gzip).accept_compressed(zstd).accept_compressed(deflate)
                .send_compressed(gzip).send_compressed(zstd)
        };
    }
    Server::builder()
        .add_service(service!(TraceServiceServer))
        .add_service(service!(MetricsServiceServer))
        .add_service(service!(LogsServiceServer))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await?;
    Ok(())
}
